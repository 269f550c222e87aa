// In-place transposition of arrays of any number of axes, on one thread, with little scratch.
//
//     ipt::ipt<T>(arr, sx, sy[, sz[, sw]])           reverses the axes of a Fortran-ordered array
//     ipt::reverse_axes(arr, shape, ndim, item)      the same for the C order, any number of axes, items of any size
//     ipt::copy_axes(from, strides, to, shape, ...)  a strided array into a C-ordered one, out of place
//
// What:       a planner splits the reversal into a few passes, each of which streams once over the array.
// Requires:   items that may be copied byte by byte; no alignment. C++17 and its standard library, nothing else.
// Complexity: O(n) for each of one to three passes (more only for extreme shapes); scratch of at most 2 % of the array
//             or 16 MiB, whichever is more, all of it allocated before the first write, so that std::bad_alloc leaves
//             the array as it was.
// Source:     Gustavson, Karlsson, Kågström, "Parallel and cache-efficient in-place matrix storage format conversion",
//             ACM TOMS 38(3), 2012 (panels, then cycles of tiles); Catanzaro, Keller, Garland, "A decomposition for
//             in-place matrix transposition", PPoPP 2014 (digits and their gcd).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace ipt {

// All that was found by measuring, in one place. Sizes are in bytes.
namespace tuning {
inline constexpr std::size_t line = 64;                     // a cache line
inline constexpr std::size_t stripe = 256;                  // four neighbouring lines: what prefetchers fetch at once
inline constexpr std::size_t tile = 16 << 10;               // the square pass's buffer: half a first-level cache
inline constexpr std::size_t near = 512 << 10;              // a panel and its scratch stay in the second-level cache
inline constexpr std::size_t far = 4 << 20;                 // beyond this a panel leaves the caches of one core
inline constexpr std::size_t piece = 64 << 10;              // cycles move longer units piece by piece
inline constexpr std::size_t look_ahead = 8 << 10;          // cycles prefetch this much before it is moved
inline constexpr std::size_t max_moves_ahead = 64;          // a power of two
inline constexpr std::size_t least_scratch = 16 << 20;      // allowed for any array
inline constexpr std::size_t scratch_divisor = 50;          // allowed for large arrays: 2 %
inline constexpr std::size_t widest_search = 6;             // digits: 720 orders at most
}  // namespace tuning

inline std::size_t default_scratch(std::size_t array_nbytes) {
    return std::max(array_nbytes / tuning::scratch_divisor, tuning::least_scratch);
}

// ---------------------------------------------------------------------------------------------------------------------
// Index equations
// ---------------------------------------------------------------------------------------------------------------------

// One axis of a copy: its length, and its strides in bytes on either side.
struct Axis {
    std::size_t n;
    std::ptrdiff_t from, to;
};

inline std::size_t product(const std::vector<std::size_t>& sizes, std::size_t begin, std::size_t end) {
    std::size_t n = 1;
    for (std::size_t i = begin; i < end; ++i) n *= sizes[i];
    return n;
}

inline std::size_t product(const std::vector<std::size_t>& sizes) { return product(sizes, 0, sizes.size()); }

// Axes sorted from slow to fast in the target, neighbours that are one axis on both sides merged, and axes that are
// contiguous on both sides taken into the unit.
inline std::vector<Axis> merged(std::vector<Axis> axes, std::size_t& unit) {
    axes.erase(std::remove_if(axes.begin(), axes.end(), [](const Axis& axis) { return axis.n == 1; }), axes.end());
    std::sort(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.to > b.to; });
    std::vector<Axis> kept;
    for (const Axis& axis : axes) {
        const auto n = static_cast<std::ptrdiff_t>(axis.n);
        if (!kept.empty() && kept.back().from == n * axis.from && kept.back().to == n * axis.to)
            kept.back() = {kept.back().n * axis.n, axis.from, axis.to};
        else
            kept.push_back(axis);
    }
    const auto whole = static_cast<std::ptrdiff_t>(unit);
    if (!kept.empty() && kept.back().from == whole && kept.back().to == whole) {
        unit *= kept.back().n;
        kept.pop_back();
    }
    return kept;
}

// The cycles of the permutation that transposes a grid of rows x columns units: unit p of the result is unit
// (p mod rows) * columns + p / rows of the source. The moves come in an order in which every unit is read before it
// is overwritten; `spare` stands for a unit outside the grid, which holds the first unit of a cycle meanwhile.
class Cycles {
   public:
    struct Move {
        std::size_t from, to;
    };
    static constexpr std::size_t spare = std::numeric_limits<std::size_t>::max();

    // `seen` has a bit for each unit, all zero.
    Cycles(std::size_t rows, std::size_t columns, std::uint8_t* seen)
        : rows_(rows), columns_(columns), n_(rows * columns), seen_(seen) {}

    bool next(Move& move) {
        if (at_ == spare) {
            do {
                if (++start_ >= n_) return false;
            } while (seen_[start_ / 8] >> start_ % 8 & 1 || source_of(start_) == start_);
            move = {start_, spare};
            at_ = start_;
            return true;
        }
        seen_[at_ / 8] = static_cast<std::uint8_t>(seen_[at_ / 8] | 1 << at_ % 8);
        const std::size_t source = source_of(at_);
        if (source == start_) {
            move = {spare, at_};
            at_ = spare;
        } else {
            move = {source, at_};
            at_ = source;
        }
        return true;
    }

   private:
    std::size_t source_of(std::size_t p) const { return p % rows_ * columns_ + p / rows_; }

    std::size_t rows_, columns_, n_;
    std::uint8_t* seen_;
    std::size_t start_ = 0;    // unit 0 stays where it is
    std::size_t at_ = spare;   // the unit to be written next, inside a cycle
};

// ---------------------------------------------------------------------------------------------------------------------
// Data movement
// ---------------------------------------------------------------------------------------------------------------------

#if defined(__GNUC__) || defined(__clang__)
inline void prefetch(const char* address) { __builtin_prefetch(address); }
#else
inline void prefetch(const char*) {}
#endif

// Copies between buffers that do not overlap. The last block may repeat bytes of the one before.
inline void copy_run(char* to, const char* from, std::size_t nbytes) {
    auto blocks = [&](auto size) {
        constexpr std::size_t block = decltype(size)::value;
        for (std::size_t i = 0; i + block < nbytes; i += block) std::memcpy(to + i, from + i, block);
        std::memcpy(to + nbytes - block, from + nbytes - block, block);
    };
    if (nbytes >= 64) return blocks(std::integral_constant<std::size_t, 64>{});
    if (nbytes >= 16) return blocks(std::integral_constant<std::size_t, 16>{});
    if (nbytes >= 8) return blocks(std::integral_constant<std::size_t, 8>{});
    if (nbytes >= 4) return blocks(std::integral_constant<std::size_t, 4>{});
    if (nbytes >= 2) return blocks(std::integral_constant<std::size_t, 2>{});
    if (nbytes == 1) *to = *from;
}

// `width` is a unit's size where kernels know it, else 0.
template <std::size_t width>
void copy_unit(char* to, const char* from, std::size_t unit) {
    if constexpr (width != 0)
        std::memcpy(to, from, width);
    else
        copy_run(to, from, unit);
}

template <class Action>
void visit_width(std::size_t unit, Action&& action) {
    switch (unit) {
        case 1: return action(std::integral_constant<std::size_t, 1>{});
        case 2: return action(std::integral_constant<std::size_t, 2>{});
        case 4: return action(std::integral_constant<std::size_t, 4>{});
        case 8: return action(std::integral_constant<std::size_t, 8>{});
        case 16: return action(std::integral_constant<std::size_t, 16>{});
        default: return action(std::integral_constant<std::size_t, 0>{});
    }
}

// Items of a tile's edge: those of one 16-byte register, which every 64-bit processor has.
template <std::size_t width>
inline constexpr std::size_t n_lanes = width == 0 ? 1 : 16 / width;

#if defined(__GNUC__) || defined(__clang__)
template <std::size_t width>
struct Register;
template <>
struct Register<1> {
    using Lane = unsigned char;
    typedef Lane Type __attribute__((vector_size(16)));
};
template <>
struct Register<2> {
    using Lane = std::uint16_t;
    typedef Lane Type __attribute__((vector_size(16)));
};
template <>
struct Register<4> {
    using Lane = std::uint32_t;
    typedef Lane Type __attribute__((vector_size(16)));
};
template <>
struct Register<8> {
    using Lane = std::uint64_t;
    typedef Lane Type __attribute__((vector_size(16)));
};

// Interleaves the lanes of a and b from lane `first` on.
template <std::size_t width, std::size_t first, std::size_t... i>
inline typename Register<width>::Type zip(typename Register<width>::Type a, typename Register<width>::Type b,
                                          std::index_sequence<i...>) {
    constexpr std::size_t n = n_lanes<width>;
#if defined(__clang__)
    return __builtin_shufflevector(a, b, (first + i / 2 + i % 2 * n)...);
#else
    using Lane = typename Register<width>::Lane;
    return __builtin_shuffle(a, b, typename Register<width>::Type{static_cast<Lane>(first + i / 2 + i % 2 * n)...});
#endif
}

// A square of registers transposed: each of log2(n) rounds interleaves row i with row i + n / 2.
template <std::size_t width>
inline void transpose_tile(const char* from, std::ptrdiff_t from_pitch, char* to, std::ptrdiff_t to_pitch) {
    using Vector = typename Register<width>::Type;
    constexpr std::size_t n = n_lanes<width>;
    constexpr auto lanes = std::make_index_sequence<n>{};
    Vector rows[n], mixed[n];
#pragma GCC unroll 16
    for (std::size_t i = 0; i < n; ++i) std::memcpy(&rows[i], from + static_cast<std::ptrdiff_t>(i) * from_pitch, 16);
#pragma GCC unroll 4
    for (std::size_t round = 1; round < n; round *= 2) {
#pragma GCC unroll 8
        for (std::size_t i = 0; i < n / 2; ++i) {
            mixed[2 * i] = zip<width, 0>(rows[i], rows[i + n / 2], lanes);
            mixed[2 * i + 1] = zip<width, n / 2>(rows[i], rows[i + n / 2], lanes);
        }
#pragma GCC unroll 16
        for (std::size_t i = 0; i < n; ++i) rows[i] = mixed[i];
    }
#pragma GCC unroll 16
    for (std::size_t i = 0; i < n; ++i) std::memcpy(to + static_cast<std::ptrdiff_t>(i) * to_pitch, &rows[i], 16);
}
#else
template <std::size_t width>
inline void transpose_tile(const char* from, std::ptrdiff_t from_pitch, char* to, std::ptrdiff_t to_pitch) {
    constexpr auto n = static_cast<std::ptrdiff_t>(n_lanes<width>), size = static_cast<std::ptrdiff_t>(width);
    for (std::ptrdiff_t i = 0; i < n; ++i)
        for (std::ptrdiff_t j = 0; j < n; ++j)
            std::memcpy(to + j * to_pitch + i * size, from + i * from_pitch + j * size, width);
}
#endif

// rows x columns units into columns x rows: row.from and column.from are their strides in the source, row.to and
// column.to in the target. Stripe by stripe, so that the lines of both sides are used up while they are in the cache.
template <std::size_t width>
void transpose_block(const char* from, char* to, const Axis& row, const Axis& column, std::size_t unit) {
    const std::size_t stripe = std::max<std::size_t>(tuning::stripe / unit, 1);
    constexpr std::size_t n = n_lanes<width>;
    const auto whole = static_cast<std::ptrdiff_t>(unit);
    auto at = [](std::size_t i, std::ptrdiff_t stride) { return static_cast<std::ptrdiff_t>(i) * stride; };
    if constexpr (n > 1) {
        if (row.n >= n && column.n >= n && column.from == whole && row.to == whole) {
            for (std::size_t begin = 0; begin < column.n; begin += stripe) {
                const std::size_t end = std::min(begin + stripe, column.n);
                for (std::size_t i = 0; i < row.n; i += n) {
                    const std::size_t r = std::min(i, row.n - n);  // the last tiles repeat a part of those before
                    for (std::size_t j = begin; j < end; j += n) {
                        const std::size_t c = std::min(j, column.n - n);
                        transpose_tile<width>(from + at(r, row.from) + at(c, column.from),
                                              to + at(r, row.to) + at(c, column.to), row.from, column.to);
                    }
                }
            }
            return;
        }
    }
    for (std::size_t begin = 0; begin < column.n; begin += stripe) {
        const std::size_t end = std::min(begin + stripe, column.n);
        for (std::size_t r = 0; r < row.n; ++r)
            for (std::size_t c = begin; c < end; ++c)
                copy_unit<width>(to + at(r, row.to) + at(c, column.to), from + at(r, row.from) + at(c, column.from),
                                 unit);
    }
}
