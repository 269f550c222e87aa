// In-place transposition of arrays of any number of axes, on one thread, with little scratch.
//
//     ipt::ipt<T>(arr, sx, sy[, sz[, sw]])           reverses the axes of a Fortran-ordered array
//     ipt::reverse_axes(arr, shape, ndim, item)      the same for the C order, any number of axes, items of any size
//     ipt::copy_axes(from, strides, to, shape, ...)  a strided array into a C-ordered one, out of place
//
// What:       a planner splits the reversal into a few passes, each of which streams once over the array.
// Requires:   items that may be copied byte by byte; no alignment. C++17 and its standard library, nothing else.
// Order:      tuning; index equations; data movement; planner; carrying out a plan; what callers use.
// Complexity: O(n) for each of one to three passes (more only for extreme shapes); scratch of at most 2 % of the array
//             or 16 MiB, whichever is more, all of it allocated before the first write, so that std::bad_alloc leaves
//             the array as it was.
// Source:     [1] Gustavson, Karlsson, Kågström, "Parallel and cache-efficient in-place matrix storage format
//             conversion", ACM TOMS 38(3), 2012. [2] Catanzaro, Keller, Garland, "A decomposition for in-place matrix
//             transposition", PPoPP 2014. [3] Cate, Twigg, "Algorithm 513: Analysis of in-situ transposition", ACM
//             TOMS 3(1), 1977. [4] Eklundh, "A fast computer method for matrix transposing", IEEE Transactions on
//             Computers C-21(7), 1972. Each recipe below names the one it is from; what names none is our own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace ipt {

// All that was found by measuring, in one place. Sizes are in bytes.
namespace tuning {
inline constexpr std::size_t line = 64;                     // a cache line
inline constexpr std::size_t stripe = 256;                  // four neighbouring lines: what prefetchers fetch at once
inline constexpr std::size_t near = 512 << 10;              // a panel and its scratch stay in the second-level cache
inline constexpr std::size_t far = 6 << 20;                 // beyond this a panel leaves the caches of one core
inline constexpr std::size_t long_row = 2 << 10;             // prefetches find rows of this length
inline constexpr std::size_t short_move = 8 << 10;           // rows up to this move apart line by line, downward
inline constexpr std::size_t longest_unit = 8 << 10;        // tiles longer than this gain nothing for cycles
inline constexpr std::size_t short_unit = 640;              // cycles copy units from two lines to this downward
inline constexpr std::size_t piece = 64 << 10;              // cycles move longer units piece by piece
inline constexpr std::size_t huge_page = 2 << 20;           // what Linux gives large arrays at once
inline constexpr std::size_t page_conflict = 512 << 10;     // see suits_lines
inline constexpr std::size_t look_ahead = 16 << 10;          // cycles prefetch this much before it is moved
inline constexpr std::size_t max_moves_ahead = 64;          // a power of two
inline constexpr std::size_t least_scratch = 16 << 20;      // allowed for any array
inline constexpr std::size_t scratch_divisor = 50;          // allowed for large arrays: 2 %
inline constexpr std::size_t widest_search = 6;             // digits: 720 orders at most
}  // namespace tuning

// What differs by processor: how cycles copy, whether panels move, and what passes cost. Measured on Zen 4 (`other`),
// and on Sapphire Rapids, where what does not fit the 2 MB of a core's second-level cache comes from a slow third level, so
// that panels are best read once and written once, but the first level holds what is about to be written.
enum class Processor { intel, other };

inline Processor this_processor() {
#if defined(__x86_64__) && defined(__GNUC__)
    static const Processor found = __builtin_cpu_is("intel") ? Processor::intel : Processor::other;
    return found;
#else
    return Processor::other;
#endif
}

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

// The distance of so many steps: strides are signed.
inline std::ptrdiff_t steps(std::size_t n, std::ptrdiff_t stride = 1) {
    return static_cast<std::ptrdiff_t>(n) * stride;
}

inline std::size_t product(const std::vector<std::size_t>& sizes, std::size_t begin, std::size_t end) {
    std::size_t n = 1;
    for (std::size_t i = begin; i < end; ++i) n *= sizes[i];
    return n;
}

inline std::size_t product(const std::vector<std::size_t>& sizes) { return product(sizes, 0, sizes.size()); }

// Strides of a C-ordered block.
inline std::vector<std::ptrdiff_t> strides_of(const std::vector<std::size_t>& shape, std::size_t unit) {
    std::vector<std::ptrdiff_t> strides(shape.size());
    auto stride = steps(unit);
    for (std::size_t i = shape.size(); i-- > 0; stride *= steps(shape[i])) strides[i] = stride;
    return strides;
}

// Axes sorted from slow to fast in the target, neighbours that are one axis on both sides merged, and axes that are
// contiguous on both sides taken into the unit.
inline std::vector<Axis> merged(std::vector<Axis> axes, std::size_t& unit) {
    axes.erase(std::remove_if(axes.begin(), axes.end(), [](const Axis& axis) { return axis.n == 1; }), axes.end());
    std::sort(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.to > b.to; });
    std::vector<Axis> kept;
    for (const Axis& axis : axes) {
        const auto n = steps(axis.n);
        if (!kept.empty() && kept.back().from == n * axis.from && kept.back().to == n * axis.to)
            kept.back() = {kept.back().n * axis.n, axis.from, axis.to};
        else
            kept.push_back(axis);
    }
    const auto whole = steps(unit);
    if (!kept.empty() && kept.back().from == whole && kept.back().to == whole) {
        unit *= kept.back().n;
        kept.pop_back();
    }
    return kept;
}

// Room that is left open after every so many units of an array, for the tails that are laid aside meanwhile.
struct Gaps {
    std::size_t every = 0, nbytes = 0;

    bool any() const { return nbytes != 0; }
    std::size_t before(std::size_t i) const { return nbytes == 0 ? 0 : i / every * nbytes; }
};

// Which panels lie one place further than they belong, the last of them first: see `moved`.
struct Moved {
    bool rows = false, columns = false;  // of a grid of units before, or of the columns, which are its rows afterwards
};

// The cycles of the permutation that transposes a grid of rows x columns units: unit p of the result is unit
// (p mod rows) * columns + p / rows of the source, unless either are moved. The moves come in an order in which every
// unit is read before it is overwritten; `spare` stands for a unit outside the grid, which holds the first unit of a
// cycle meanwhile.
class Cycles {
   public:
    struct Move {
        std::size_t from, to;
    };
    static constexpr std::size_t spare = std::numeric_limits<std::size_t>::max();

    // `seen` has a bit for each unit, all zero.
    Cycles(std::size_t rows, std::size_t columns, std::uint8_t* seen, Moved moved = {})
        : rows_(rows), columns_(columns), n_(rows * columns), seen_(seen), moved_(moved) {}

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
    std::size_t source_of(std::size_t p) const {
        std::size_t column = p / rows_, row = p - column * rows_;
        if (moved_.rows) row = row + 1 == rows_ ? 0 : row + 1;
        if (moved_.columns) column = (column == 0 ? columns_ : column) - 1;
        return row * columns_ + column;
    }

    std::size_t rows_, columns_, n_;
    std::uint8_t* seen_;
    Moved moved_;
    std::size_t start_ = spare;  // the unit before the first
    std::size_t at_ = spare;     // the unit to be written next, inside a cycle
};

// ---------------------------------------------------------------------------------------------------------------------
// Data movement: lines and runs
// ---------------------------------------------------------------------------------------------------------------------

// `level` 1 is the first-level cache, which is too small for most of what comes next. The empty statement keeps
// compilers from leaving out functions that do nothing but prefetch.
template <int level = 2>
inline void prefetch([[maybe_unused]] const char* address) {
#if defined(__GNUC__) || defined(__clang__)
    __builtin_prefetch(address, 0, 4 - level);
    __asm__ volatile("");
#endif
}

// A run that does not begin with a line may end in one more.
template <int level = 2>
inline void prefetch_run(const char* run, std::size_t nbytes) {
    for (std::size_t i = 0; i < nbytes; i += tuning::line) prefetch<level>(run + i);
    prefetch<level>(run + nbytes - 1);
}

template <std::size_t n_lines>
inline void prefetch_lines(const char* lines) {
    for (std::size_t i = 0; i < n_lines; ++i) prefetch(lines + i * tuning::line);
}

// Reads a run line by line, which hardware foresees; prefetches that come faster than memory are dropped.
inline void read_ahead(const char* run, std::size_t nbytes) {
    const volatile char* line = run;
    for (std::size_t i = 0; i < nbytes; i += tuning::line) static_cast<void>(line[i]);
}

// Has the system provide the memory of a result before it is written. Linux clears a huge page towards the byte that is
// touched first: upward, which takes half as long as downward, if that is the last one.
inline void provide(char* result, std::size_t nbytes) {
    const std::size_t offset = reinterpret_cast<std::uintptr_t>(result) % tuning::huge_page;
    for (std::size_t last = tuning::huge_page - 1 - offset; last < nbytes; last += tuning::huge_page)
        static_cast<volatile char*>(result)[last] = 0;
}

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

// Moves a run to where it may overlap with its own end. Short runs are read strictly downward, which hardware foresees
// from one run to the one below.
inline void move_up(char* to, const char* from, std::size_t nbytes) {
    if (nbytes < tuning::short_move) {
        char held[tuning::line];
        for (; nbytes >= sizeof held; nbytes -= sizeof held) {
            std::memcpy(held, from + nbytes - sizeof held, sizeof held);
            std::memcpy(to + nbytes - sizeof held, held, sizeof held);
        }
    }
    std::memmove(to, from, nbytes);
}

// ---------------------------------------------------------------------------------------------------------------------
// Data movement: registers
// ---------------------------------------------------------------------------------------------------------------------

// What is compiled once for each instruction set: `groups` is the number of 16-byte groups in its registers.
//
// copy: runs of a line and more.
// copy_downward: the same from the end on, `at_once` lines at a time and the upper half of them first, while as many
//       bytes at `next` are fetched, unless that is null. Lines read in order make hardware fetch those behind a run, in vain
//       if nothing there comes next, and as slow as the run itself if that is short.
// tile: a line's items in rows x a group's items in columns, transposed, so that each row of the result is one line.
//       The groups of a register hold rows a register's items apart; each of log2(n) rounds interleaves, within groups,
//       row i with row i + n / 2 [4].
template <std::size_t width>
inline constexpr std::size_t n_lanes = width == 0 || width > 16 ? 1 : 16 / width;

inline std::size_t n_lanes_of(std::size_t unit) { return unit <= 8 && (unit & (unit - 1)) == 0 ? 16 / unit : 1; }

#if defined(__x86_64__) && defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define IPT_HAS_SIMD
#endif
#endif

#ifdef IPT_HAS_SIMD
template <std::size_t width, std::size_t nbytes>
struct Register;

#define IPT_REGISTER(width, lane)                                  \
    template <std::size_t nbytes>                                  \
    struct Register<width, nbytes> {                               \
        typedef lane Type __attribute__((vector_size(nbytes)));    \
    };
IPT_REGISTER(1, std::uint8_t)
IPT_REGISTER(2, std::uint16_t)
IPT_REGISTER(4, std::uint32_t)
IPT_REGISTER(8, std::uint64_t)
#undef IPT_REGISTER

#define IPT_KERNELS(name, isa, groups)                                                                                \
    struct name {                                                                                                     \
        template <std::size_t width, std::size_t n>                                                                   \
        using Part = typename Register<width, 16 * n>::Type;                                                          \
                                                                                                                      \
        template <std::size_t width, std::size_t n, std::size_t... i>                                                 \
        __attribute__((target(isa), always_inline)) static inline Part<width, n> join(                                \
            Part<width, n / 2> a, Part<width, n / 2> b, std::index_sequence<i...>) {                                  \
            return __builtin_shufflevector(a, b, i...);                                                               \
        }                                                                                                             \
                                                                                                                      \
        template <std::size_t width, std::size_t n>                                                                   \
        __attribute__((target(isa), always_inline)) static inline Part<width, n> load(const char* from,               \
                                                                                      std::ptrdiff_t apart) {         \
            if constexpr (n == 1) {                                                                                   \
                Part<width, 1> part;                                                                                  \
                std::memcpy(&part, from, 16);                                                                         \
                return part;                                                                                          \
            } else {                                                                                                  \
                return join<width, n>(load<width, n / 2>(from, apart),                                                \
                                      load<width, n / 2>(from + apart * static_cast<std::ptrdiff_t>(n / 2), apart),   \
                                      std::make_index_sequence<n_lanes<width> * n>{});                                \
            }                                                                                                         \
        }                                                                                                             \
                                                                                                                      \
        template <std::size_t width, std::size_t half, std::size_t... i>                                              \
        __attribute__((target(isa), always_inline)) static inline Part<width, groups> zip(                            \
            Part<width, groups> a, Part<width, groups> b, std::index_sequence<i...>) {                                \
            constexpr std::size_t n = n_lanes<width>;                                                                 \
            return __builtin_shufflevector(a, b, (i / n * n + half * n / 2 + i % n / 2 + i % 2 * n * groups)...);     \
        }                                                                                                             \
                                                                                                                      \
        template <std::size_t width, std::size_t n_parts = 4 / groups>                                                \
        __attribute__((target(isa), always_inline)) static inline void tile(                                          \
            const char* from, std::ptrdiff_t from_pitch, char* to, std::ptrdiff_t to_pitch) {                         \
            constexpr std::size_t n = n_lanes<width>;                                                                 \
            constexpr auto lanes = std::make_index_sequence<n * groups>{};                                            \
            const auto apart = static_cast<std::ptrdiff_t>(n) * from_pitch;                                           \
            Part<width, groups> rows[n], mixed[n];                                                                    \
            for (std::size_t part = 0; part < n_parts; ++part,   from += groups * apart, to += 16 * groups) {        \
                _Pragma("GCC unroll 16") for (std::size_t i = 0; i < n; ++i) rows[i] =                                \
                    load<width, groups>(from + static_cast<std::ptrdiff_t>(i) * from_pitch, apart);                   \
                _Pragma("GCC unroll 4") for (std::size_t round = 1; round < n; round *= 2) {                          \
                    _Pragma("GCC unroll 8") for (std::size_t i = 0; i < n / 2; ++i) {                                 \
                        mixed[2 * i] = zip<width, 0>(rows[i], rows[i + n / 2], lanes);                                \
                        mixed[2 * i + 1] = zip<width, 1>(rows[i], rows[i + n / 2], lanes);                            \
                    }                                                                                                 \
                    _Pragma("GCC unroll 16") for (std::size_t i = 0; i < n; ++i) rows[i] = mixed[i];                  \
                }                                                                                                     \
                _Pragma("GCC unroll 16") for (std::size_t i = 0; i < n; ++i)                                          \
                    std::memcpy(to + static_cast<std::ptrdiff_t>(i) * to_pitch, &rows[i], 16 * groups);               \
            }                                                                                                         \
        }                                                                                                             \
                                                                                                                      \
        template <std::size_t width, std::size_t n_parts = 4 / groups>                                                \
        __attribute__((target(isa))) static void strip(const char* from, std::ptrdiff_t from_pitch, char* to,         \
                                                       std::ptrdiff_t to_pitch, std::size_t n_columns) {              \
            for (std::size_t j = 0; j < n_columns; j += n_lanes<width>) {                                             \
                const std::size_t column = std::min(j, n_columns - n_lanes<width>);                                   \
                tile<width, n_parts>(from + column * width, from_pitch,                                               \
                                     to + static_cast<std::ptrdiff_t>(column) * to_pitch, to_pitch);                  \
            }                                                                                                         \
        }                                                                                                             \
                                                                                                                      \
        __attribute__((target(isa))) static void copy_rows(char* to, std::ptrdiff_t to_pitch, const char* from,       \
                                                           std::ptrdiff_t from_pitch, std::size_t n_rows,             \
                                                           std::size_t nbytes) {                                      \
            for (std::size_t i = 0; i < n_rows; ++i, to += to_pitch, from += from_pitch) copy(to, from, nbytes);      \
        }                                                                                                             \
                                                                                                                      \
        __attribute__((target(isa))) static void copy(char* to, const char* from, std::size_t nbytes) {               \
            Part<1, groups> held;                                                                                     \
            for (std::size_t i = 0; i + sizeof held < nbytes; i += sizeof held) {                                     \
                std::memcpy(&held, from + i, sizeof held);                                                            \
                std::memcpy(to + i, &held, sizeof held);                                                              \
            }                                                                                                         \
            std::memcpy(&held, from + nbytes - sizeof held, sizeof held);                                             \
            std::memcpy(to + nbytes - sizeof held, &held, sizeof held);                                               \
        }                                                                                                             \
                                                                                                                      \
        template <std::size_t n_lines>                                                                                \
        __attribute__((target(isa), always_inline)) static inline void take_lines(char* to, const char* from,         \
                                                                                  const char* next) {                 \
            constexpr std::size_t n = 4 / groups;                                                                     \
            Part<1, groups> held[n_lines * n];                                                                        \
            if (next != nullptr) prefetch_lines<n_lines>(next);                                                       \
            _Pragma("GCC unroll 4") for (std::size_t k = 0; k < n_lines; ++k) {                                       \
                _Pragma("GCC unroll 4") for (std::size_t i = k * n; i < (k + 1) * n; ++i)                             \
                    std::memcpy(&held[i ^ n_lines * n / 2], from + (i ^ n_lines * n / 2) * 16 * groups, 16 * groups); \
                __asm__ volatile("" ::: "memory");                                                                    \
            }                                                                                                         \
            _Pragma("GCC unroll 16") for (std::size_t i = 0; i < n_lines * n; ++i)                                    \
                std::memcpy(to + i * 16 * groups, &held[i], 16 * groups);                                             \
        }                                                                                                             \
                                                                                                                      \
        template <std::size_t at_once>                                                                                \
        __attribute__((target(isa))) static void copy_downward(char* to, const char* from, std::size_t nbytes,        \
                                                               const char* next) {                                    \
            auto take = [&](auto n_lines) __attribute__((target(isa), always_inline)) {                               \
                nbytes -= n_lines * tuning::line;                                                                     \
                take_lines<n_lines>(to + nbytes, from + nbytes, next == nullptr ? nullptr : next + nbytes);           \
            };                                                                                                        \
            if (next != nullptr) prefetch(next + nbytes - 1);                                                         \
            constexpr std::integral_constant<std::size_t, at_once> some{};                                            \
            while (at_once > 1 && nbytes >= at_once * tuning::line) take(some);                                       \
            while (nbytes >= tuning::line) take(std::integral_constant<std::size_t, 1>{});                            \
            if (next != nullptr) prefetch(next);                                                                      \
            copy_run(to, from, nbytes);                                                                               \
        }                                                                                                             \
    };
IPT_KERNELS(Sse2, "sse2", 1)
IPT_KERNELS(Avx2, "avx2", 2)
IPT_KERNELS(Avx512, "avx512f,avx512bw,avx512vl", 4)
#undef IPT_KERNELS

// Tiles of as many rows as a line has items, each row a line in a register.
template <std::size_t width>
struct LineTile {
    static constexpr std::size_t n = tuning::line / width;
    using Line = typename Register<width, tuning::line>::Type;

    template <std::size_t half, std::size_t... i>
    __attribute__((target("avx512f"), always_inline)) static inline Line zip(Line a, Line b,
                                                                             std::index_sequence<i...>) {
        return __builtin_shufflevector(a, b, (half * n / 2 + i / 2 + i % 2 * n)...);
    }

    // Each of log2(n) rounds interleaves row i with row i + n / 2.
    __attribute__((target("avx512f"), always_inline)) static inline void turn(Line* rows) {
        constexpr auto lanes = std::make_index_sequence<n>{};
        Line mixed[n];
        _Pragma("GCC unroll 4") for (std::size_t round = 1; round < n; round *= 2) {
            _Pragma("GCC unroll 8") for (std::size_t i = 0; i < n / 2; ++i) {
                mixed[2 * i] = zip<0>(rows[i], rows[i + n / 2], lanes);
                mixed[2 * i + 1] = zip<1>(rows[i], rows[i + n / 2], lanes);
            }
            _Pragma("GCC unroll 16") for (std::size_t i = 0; i < n; ++i) rows[i] = mixed[i];
        }
    }

    // Two tiles change places, transposed. If not `whole`, only the rows begin <= i < end of `a` are there; what stands
    // in those columns of `b` stays.
    template <bool whole>
    __attribute__((target("avx512f"))) static void exchange(char* a, char* b, std::ptrdiff_t pitch,
                                                            std::size_t begin = 0, std::size_t end = n) {
        const auto is_there = [=](std::size_t i) { return whole || (begin <= i && i < end); };
        Line of_a[n], of_b[n];
        _Pragma("GCC unroll 16") for (std::size_t i = 0; i < n; ++i)
            std::memcpy(&of_b[i], b + steps(i, pitch), sizeof(Line));
        turn(of_b);
        _Pragma("GCC unroll 16") for (std::size_t i = 0; i < n; ++i)
            if (is_there(i)) std::memcpy(&of_a[i], a + steps(i, pitch), sizeof(Line));
            else of_a[i] = of_b[i];
        turn(of_a);
        _Pragma("GCC unroll 16") for (std::size_t i = 0; i < n; ++i)
            if (is_there(i)) std::memcpy(a + steps(i, pitch), &of_b[i], sizeof(Line));
        _Pragma("GCC unroll 16") for (std::size_t i = 0; i < n; ++i)
            std::memcpy(b + steps(i, pitch), &of_a[i], sizeof(Line));
    }
};

// FASTREMAP_ISA=scalar or avx2 holds back what is wider.
enum class Isa { narrow, avx2, avx512 };

inline Isa chosen_isa() {
    const char* chosen = std::getenv("FASTREMAP_ISA");
    const bool any = chosen == nullptr || *chosen == '\0';
    const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512vl");
    if ((any || std::strcmp(chosen, "avx512") == 0) && has_avx512) return Isa::avx512;
    if ((any || std::strcmp(chosen, "scalar") != 0) && __builtin_cpu_supports("avx2")) return Isa::avx2;
    return Isa::narrow;
}

template <class Function>
Function* choice(Function* narrow, Function* avx2, Function* avx512) {
    const Isa isa = chosen_isa();
    return isa == Isa::avx512 ? avx512 : isa == Isa::avx2 ? avx2 : narrow;
}

// `n_rows` is a line's items, or a group's.
template <std::size_t width, std::size_t n_rows>
inline void transpose_strip(const char* from, std::ptrdiff_t from_pitch, char* to, std::ptrdiff_t to_pitch,
                            std::size_t n_columns) {
    static const auto chosen = n_rows == n_lanes<width> ? Sse2::strip<width, 1> :
         choice(Sse2::strip<width>, Avx2::strip<width>, Avx512::strip<width>);
    chosen(from, from_pitch, to, to_pitch, n_columns);
}

inline void copy_lines(char* to, const char* from, std::size_t nbytes) {
    static const auto chosen = choice(Sse2::copy, Avx2::copy, Avx512::copy);
    chosen(to, from, nbytes);
}

// Measured: four lines at once, but on Intel one, 5 to 15 % faster for units of 128 to 320 bytes.
inline void copy_downward(char* to, const char* from, std::size_t nbytes, const char* next) {
    static const auto chosen =
        this_processor() == Processor::intel
            ? choice(Sse2::copy_downward<1>, Avx2::copy_downward<1>, Avx512::copy_downward<1>)
            : choice(Sse2::copy_downward<4>, Avx2::copy_downward<4>, Avx512::copy_downward<4>);
    chosen(to, from, nbytes, next);
}

// Rows of a line and more.
inline void copy_rows_of_lines(char* to, std::ptrdiff_t to_pitch, const char* from, std::ptrdiff_t from_pitch,
                               std::size_t n_rows, std::size_t nbytes) {
    static const auto chosen = choice(Sse2::copy_rows, Avx2::copy_rows, Avx512::copy_rows);
    chosen(to, to_pitch, from, from_pitch, n_rows, nbytes);
}
#else
template <std::size_t width, std::size_t n_rows>
inline void transpose_strip(const char* from, std::ptrdiff_t from_pitch, char* to, std::ptrdiff_t to_pitch,
                            std::size_t n_columns) {
    for (std::size_t j = 0; j < n_columns; ++j)
        for (std::size_t i = 0; i < n_rows; ++i)
            std::memcpy(to + steps(j, to_pitch) + i * width,
                        from + steps(i, from_pitch) + j * width, width);
}

inline void copy_lines(char* to, const char* from, std::size_t nbytes) { copy_run(to, from, nbytes); }

inline void copy_downward(char* to, const char* from, std::size_t nbytes, const char* next) {
    if (next != nullptr) prefetch_run(next, nbytes);
    copy_run(to, from, nbytes);
}

inline void copy_rows_of_lines(char* to, std::ptrdiff_t to_pitch, const char* from, std::ptrdiff_t from_pitch,
                               std::size_t n_rows, std::size_t nbytes) {
    for (std::size_t i = 0; i < n_rows; ++i, to += to_pitch, from += from_pitch) copy_run(to, from, nbytes);
}
#endif

inline void copy_long(char* to, const char* from, std::size_t nbytes) {
    if (nbytes >= tuning::line)
        copy_lines(to, from, nbytes);
    else
        copy_run(to, from, nbytes);
}

inline void copy_rows(char* to, std::ptrdiff_t to_pitch, const char* from, std::ptrdiff_t from_pitch,
                      std::size_t n_rows, std::size_t nbytes) {
    if (nbytes >= tuning::line) return copy_rows_of_lines(to, to_pitch, from, from_pitch, n_rows, nbytes);
    for (std::size_t i = 0; i < n_rows; ++i, to += to_pitch, from += from_pitch) copy_run(to, from, nbytes);
}

// The same, while as many bytes at `next` are fetched, unless that is null.
inline void copy_fetching(char* to, const char* from, std::size_t nbytes, const char* next) {
    if (next == nullptr) return copy_long(to, from, nbytes);
    for (std::size_t i = 0; i < nbytes; i += tuning::stripe) {
        const std::size_t n = std::min(tuning::stripe, nbytes - i);
        prefetch_run(next + i, n);
        copy_long(to + i, from + i, n);
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Data movement: blocks that are in the cache, or on their way there
// ---------------------------------------------------------------------------------------------------------------------

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

// Tells whether the lines at the beginning of so many rows evict each other from a first-level cache: 64 sets of 8.
inline bool rows_compete(std::ptrdiff_t pitch, std::size_t n_rows) {
    std::size_t n_held[64] = {};
    const auto step = static_cast<std::size_t>(std::abs(pitch));
    for (std::size_t i = 0; i < n_rows; ++i)
        if (++n_held[i * step / tuning::line % 64] > 8) return true;
    return false;
}

// Transposes rows x columns items, strip by strip of as many rows as a line (or a group) has items, and stripe by
// stripe, so that the lines of both sides are used up while they are in the cache. The last strip repeats a part of the
// one before. Rows whose lines compete are read once, whole, into a buffer. `fetch` is told how many bytes are moved,
// so that it fetches as many of what comes next.
template <std::size_t width, std::size_t n_rows, class Fetch>
void transpose_strips(const char* from, char* to, Axis row, Axis column, Fetch&& fetch) {
    constexpr std::size_t widest = tuning::stripe / width, lanes = n_lanes<width>;
    const std::size_t n_stripes = (column.n + widest - 1) / widest;  // of equal width: the last repeats little
    const std::size_t stripe = ((column.n + n_stripes - 1) / n_stripes + lanes - 1) / lanes * lanes;
    char buffer[n_rows * tuning::stripe];
    const bool compete = rows_compete(row.from, n_rows);
    for (std::size_t begin = 0; begin < column.n; begin += stripe) {
        const std::size_t n_columns = std::min(stripe, column.n), c = std::min(begin, column.n - n_columns);
        const std::size_t n_next = std::min(stripe, column.n - c - n_columns);
        for (std::size_t i = 0; i < row.n; i += n_rows) {
            const std::size_t r = std::min(i, row.n - n_rows);
            const char* source = from + steps(r, row.from) + steps(c, column.from);
            char* target = to + steps(r, row.to) + steps(c, column.to);
            if (n_next != 0)
                for (std::size_t k = 0; k < n_rows; ++k)
                    prefetch_run(source + steps(k, row.from) + steps(n_columns, column.from), n_next * width);
            fetch(n_rows * n_columns * width / 2);
            if (compete) {
                copy_rows(buffer, tuning::stripe, source, row.from, n_rows, n_columns * width);
                fetch(n_rows * n_columns * width / 2);
                transpose_strip<width, n_rows>(buffer, tuning::stripe, target, column.to, n_columns);
            } else {
                fetch(n_rows * n_columns * width / 2);
                transpose_strip<width, n_rows>(source, row.from, target, column.to, n_columns);
            }
        }
    }
}

// rows x columns units into columns x rows: row.from and column.from are their strides in the source, row.to and
// column.to in the target.
template <std::size_t width, class Fetch>
void transpose_block(const char* from, char* to, Axis row, Axis column, std::size_t unit, Fetch&& fetch) {
    const auto whole = steps(unit);
    if constexpr (n_lanes<width> > 1) {
        constexpr std::size_t n_rows = tuning::line / width, n = n_lanes<width>;
        if (column.n >= n && column.from == whole && row.to == whole) {
            if (row.n >= n_rows) return transpose_strips<width, n_rows>(from, to, row, column, fetch);
            if (row.n >= n) return transpose_strips<width, n>(from, to, row, column, fetch);
        }
    }
    const std::size_t stripe = std::max<std::size_t>(tuning::stripe / unit, 1);
    for (std::size_t begin = 0; begin < column.n; begin += stripe) {
        const std::size_t end = std::min(begin + stripe, column.n);
        for (std::size_t r = 0; r < row.n; ++r) {
            fetch((end - begin) * unit);
            for (std::size_t c = begin; c < end; ++c)
                copy_unit<width>(to + steps(r, row.to) + steps(c, column.to),
                                 from + steps(r, row.from) + steps(c, column.from), unit);
        }
    }
}

template <std::size_t width>
void transpose_block(const char* from, char* to, Axis row, Axis column, std::size_t unit) {
    transpose_block<width>(from, to, row, column, unit, [](std::size_t) {});
}

// As above for many columns of fewer items than a stripe that follow each other in the source, but not in the target:
// each of the rows is read once for as many as a stripe holds.
template <std::size_t width>
void transpose_joined(const char* from, char* to, Axis row, Axis column, Axis columns) {
    constexpr std::size_t n_rows = tuning::line / width;
    const std::size_t column_nbytes = column.n * width, n_joined = tuning::stripe / column_nbytes;
    char buffer[n_rows * tuning::stripe];
    for (std::size_t i = 0; i < row.n; i += n_rows) {
        const std::size_t r = std::min(i, row.n - n_rows);
        for (std::size_t begin = 0; begin < columns.n; begin += n_joined) {
            const std::size_t n = std::min(n_joined, columns.n - begin);
            const char* source = from + steps(r, row.from) + steps(begin, columns.from);
            char* target = to + steps(r, row.to) + steps(begin, columns.to);
            copy_rows(buffer, tuning::stripe, source, row.from, n_rows, n * column_nbytes);
            for (std::size_t k = 0; k < n; ++k)
                transpose_strip<width, n_rows>(buffer + k * column_nbytes, tuning::stripe,
                                               target + steps(k, columns.to), column.to, column.n);
        }
    }
}

// A copy that permutes axes, prepared once and done for many blocks. The target's strides are positive.
class Permute {
   public:
    Permute() = default;

    // While a block is written, the memory `ahead` bytes behind it is fetched.
    Permute(std::vector<Axis> axes, std::size_t unit, std::ptrdiff_t ahead = 0) : ahead_(ahead) {
        for (const Axis& axis : axes) empty_ = empty_ || axis.n == 0;
        outer_ = merged(std::move(axes), unit);
        unit_ = unit;
        if (outer_.empty()) return;
        row_ = outer_.back();  // fastest in the target
        outer_.pop_back();
        const auto whole = steps(unit);
        auto distance = [&](const Axis& axis) { return axis.from == whole ? 0 : std::abs(axis.from) + 1; };
        auto fastest = std::min_element(outer_.begin(), outer_.end(), [&](const Axis& a, const Axis& b) {
            return distance(a) < distance(b);
        });
        if (fastest == outer_.end() || distance(row_) <= distance(*fastest)) return;
        column_ = *fastest;  // fastest in the source
        outer_.erase(fastest);
        const std::size_t n_lanes = n_lanes_of(unit), column_nbytes = column_.n * unit;
        if (n_lanes == 1 || column_.n < n_lanes || column_nbytes > tuning::stripe / 2 || column_.from != whole ||
            row_.to != whole || row_.n * unit < tuning::line)
            return;
        const auto next = std::find_if(outer_.begin(), outer_.end(), [&](const Axis& axis) {
            return axis.from == steps(column_nbytes);
        });
        if (next == outer_.end()) return;
        columns_ = *next;
        outer_.erase(next);
    }

    void operator()(const char* from, char* to) const {
        if (!empty_) visit_width(unit_, [&](auto width) { descend<decltype(width)::value>(0, from, to); });
    }

    // Tells whether the memory ahead is fetched in long runs.
    bool fetches() const { return ahead_ != 0 && column_.n == 1 && unit_ >= tuning::stripe; }

   private:
    template <std::size_t width>
    void descend(std::size_t axis, const char* from, char* to) const {
        if (axis < outer_.size()) {
            for (std::size_t i = 0; i < outer_[axis].n; ++i)
                descend<width>(axis + 1, from + steps(i, outer_[axis].from),
                               to + steps(i, outer_[axis].to));
        } else if (columns_.n > 1) {
            if constexpr (n_lanes<width> > 1) transpose_joined<width>(from, to, row_, column_, columns_);
        } else if (column_.n > 1) {
            transpose_block<width>(from, to, row_, column_, unit_);
        } else {
            copy_row<width>(from, to, row_, unit_, ahead_);
        }
    }

    template <std::size_t width>
    static void copy_row(const char* from, char* to, Axis row, std::size_t unit, std::ptrdiff_t ahead) {
        for (std::size_t i = 0; i < row.n; ++i, from += row.from, to += row.to) {
            if (ahead == 0)
                copy_unit<width>(to, from, unit);
            else
                copy_fetching(to, from, unit, to + ahead);
        }
    }

    std::vector<Axis> outer_;
    Axis row_{1, 0, 0}, column_{1, 0, 0}, columns_{1, 0, 0};
    std::size_t unit_ = 0;
    std::ptrdiff_t ahead_ = 0;
    bool empty_ = false;
};

// ---------------------------------------------------------------------------------------------------------------------
// Data movement: out of place, past the cache
// ---------------------------------------------------------------------------------------------------------------------

// Writes a row of a buffer behind the `n_held` bytes that stand before it, which the last call held back: whole lines
// past the cache, where there are such stores, and what does not fill a line only if it is the first or the last.
inline void stream_row(char* to, char* row, std::size_t nbytes, [[maybe_unused]] bool first,
                       [[maybe_unused]] bool last) {
#ifdef IPT_HAS_SIMD
    auto rest = [](const char* address) { return reinterpret_cast<std::uintptr_t>(address) % tuning::line; };
    const char* end = to + nbytes;
    char* line = to - rest(to);
    if (first && line != to) {
        line += tuning::line;
        std::memcpy(to, row, static_cast<std::size_t>(std::min<std::ptrdiff_t>(line - to, end - to)));
    }
    const char* from = row + (line - to);
    for (; line + tuning::line <= end; line += tuning::line, from += tuning::line)
        for (std::size_t i = 0; i < tuning::line; i += 16)
            _mm_stream_si128(reinterpret_cast<__m128i*>(line + i),
                             _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i)));
    if (!last)
        std::memcpy(row - tuning::line, row + nbytes - tuning::line, tuning::line);
    else if (line < end)
        std::memcpy(line, from, static_cast<std::size_t>(end - line));
#else
    copy_run(to, row, nbytes);
#endif
}

// Axes walked as one, the first of them fastest: where the i-th step is on one side.
class Walk {
   public:
    struct Stride {
        std::size_t n;
        std::ptrdiff_t stride;
    };

    void add(std::size_t n, std::ptrdiff_t stride) {
        n_ *= n;
        axes_.push_back({n, stride});
    }
    std::size_t n() const { return n_; }
    bool empty() const { return axes_.empty(); }
    const Stride& fastest() const { return axes_.front(); }
    std::ptrdiff_t operator[](std::size_t i) const {
        std::ptrdiff_t offset = 0;
        for (const auto& [n, stride] : axes_) {
            offset += steps(i % n, stride);
            i /= n;
        }
        return offset;
    }

   private:
    std::vector<Stride> axes_;
    std::size_t n_ = 1;
};

// A copy that permutes axes, for blocks that are not in the cache. The axes that are fastest in the source, until they
// make a long run, are walked as one column; those that are fastest in the target, the others, as one row. A tile of
// both is read into a buffer, run by run, transposed, and written line by line past the cache, while the next one is
// fetched. What does not fill a line waits before its row for the tile below.
class Relayout {
   public:
    // False if no axis but the fastest of the target is there to be a column, or units are long: `Permute` is as fast.
    static bool suits(const Relayout& relayout) {
        return relayout.unit_ < tuning::line && relayout.columns_.n() > 1 && relayout.rows_.n() > 1;
    }

    Relayout(std::vector<Axis> axes, std::size_t unit) {
        axes = merged(std::move(axes), unit);
        unit_ = unit;
        if (axes.size() < 2) return;
        const auto whole = steps(unit);
        Axis row = axes.back();
        axes.pop_back();
        for (;;) {
            const auto fastest = std::min_element(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) {
                return std::abs(a.from) < std::abs(b.from);
            });
            if (fastest == axes.end() || columns_.n() * unit >= wide_nbytes / 2) break;
            const std::ptrdiff_t next = steps(columns_.n(), step_);
            if (columns_.empty() ? std::abs(fastest->from) >= std::abs(row.from) : fastest->from != next) break;
            if (columns_.empty()) step_ = fastest->from;
            columns_.add(fastest->n, fastest->to);
            axes.erase(fastest);
        }
        rows_.add(row.n, row.from);
        while (!axes.empty() && axes.back().to == steps(rows_.n(), whole)) {
            rows_.add(axes.back().n, axes.back().from);
            axes.pop_back();
        }
        outer_ = std::move(axes);
    }

    void operator()(const char* from, char* to) const {
        const std::size_t high = high_nbytes / unit_, wide = wide_nbytes / unit_;
        const std::unique_ptr<char[]> buffer(new char[high * wide_nbytes + tuning::line + wide * pitch]);
        visit_width(unit_, [&](auto width) { descend<decltype(width)::value>(0, from, to, buffer.get()); });
#ifdef IPT_HAS_SIMD
        _mm_sfence();
#endif
    }

   private:
    static constexpr std::size_t high_nbytes = 2 * tuning::stripe, wide_nbytes = 2 * tuning::stripe;
    static constexpr std::size_t pitch = high_nbytes + tuning::line;

    template <std::size_t width>
    void descend(std::size_t axis, const char* from, char* to, char* buffer) const {
        if (axis == outer_.size()) return tiles<width>(from, to, buffer);
        for (std::size_t i = 0; i < outer_[axis].n; ++i)
            descend<width>(axis + 1, from + steps(i, outer_[axis].from),
                           to + steps(i, outer_[axis].to), buffer);
    }

    template <std::size_t width>
    void tiles(const char* from, char* to, char* buffer) const {
        const std::size_t high = high_nbytes / unit_, wide = wide_nbytes / unit_, n_rows = rows_.n();
        char* target = buffer + high * wide_nbytes + tuning::line;
        for (std::size_t j = 0; j < columns_.n(); j += wide) {
            const std::size_t n_wide = std::min(wide, columns_.n() - j);
            const char* stripe = from + steps(j, step_);
            for (std::size_t i = 0; i < n_rows; i += high) {
                const std::size_t n_high = std::min(high, n_rows - i), n_next = std::min(high, n_rows - i - n_high);
                transpose_tile<width>(stripe, i, n_high, n_wide, buffer, target);
                for (std::size_t k = 0, next = 0; k < n_wide; ++k) {
                    for (; next * n_wide < (k + 1) * n_next; ++next)
                        fetch_row(stripe + rows_[i + n_high + next], n_wide);
                    stream_row(to + columns_[j + k] + i * unit_, target + k * pitch, n_high * unit_, i == 0,
                               i + n_high == n_rows);
                }
            }
        }
    }

    // Straight from the source where so many rows lie at one distance that registers take them, else by the buffer.
    template <std::size_t width>
    void transpose_tile(const char* stripe, std::size_t i, std::size_t n_high, std::size_t n_wide, char* buffer,
                        char* target) const {
        const auto whole = steps(unit_), buffer_pitch = steps(wide_nbytes);
        const Axis column{n_wide, whole, steps(pitch)};
        if (step_ == whole && rows_.fastest().n * unit_ >= tuning::line) {
            for (std::size_t k = 0, n = 0; k < n_high; k += n) {
                n = std::min(n_high - k, rows_.fastest().n - (i + k) % rows_.fastest().n);
                const Axis row{n, rows_.fastest().stride, whole};
                transpose_block<width>(stripe + rows_[i + k], target + k * unit_, row, column, unit_);
            }
            return;
        }
        for (std::size_t k = 0; k < n_high; ++k)
            read_row<width>(buffer + k * wide_nbytes, stripe + rows_[i + k], n_wide);
        transpose_block<width>(buffer, target, {n_high, buffer_pitch, whole}, column, unit_);
    }

    template <std::size_t width>
    void read_row(char* to, const char* from, std::size_t n) const {
        if (step_ == steps(unit_)) return copy_long(to, from, n * unit_);
        for (std::size_t i = 0; i < n; ++i)
            copy_unit<width>(to + i * unit_, from + steps(i, step_), unit_);
    }

    void fetch_row(const char* from, std::size_t n) const {
        if (step_ == steps(unit_)) prefetch_run(from, n * unit_);
    }

    std::vector<Axis> outer_;
    Walk rows_, columns_;      // rows: where a run begins in the source; columns: where a row begins in the target
    std::ptrdiff_t step_ = 0;  // from one unit of a run to the next
    std::size_t unit_ = 0;
};

// ---------------------------------------------------------------------------------------------------------------------
// Data movement: in place
// ---------------------------------------------------------------------------------------------------------------------

// Squares of `n` units with rows up to this length are one tile; where none fits, units need no buffer.
inline std::size_t longest_tile(std::size_t unit) { return std::max<std::size_t>(2 * tuning::stripe / unit, 1); }

// The edge of tiles of equal size that cover n units: rows of two stripes, at most 256 of them if there are several.
inline std::size_t tile_edge(std::size_t n, std::size_t unit) {
    if (n <= longest_tile(unit)) return n;
    const std::size_t most = std::min<std::size_t>(longest_tile(unit), 256), n_tiles = (n + most - 1) / most;
    return (n + n_tiles - 1) / n_tiles;
}

inline std::size_t square_scratch(std::size_t n, std::size_t unit) {
    const std::size_t edge = tile_edge(n, unit);
    return edge < n ? 2 * edge * edge * unit : n * longest_tile(unit) * unit;
}

// Tiles (i, j) and (j, i) of one of the squares, which change places.
struct TilePair {
    std::size_t square, i, j;
    bool any;  // false behind the last
};

// The tile pairs of `n_squares` squares of n x n units: square s begins at s * n units, row i of it `pitch` bytes
// behind row i - 1. Squares that are one tile each are taken `n_joined` at once, since their rows follow each other.
struct TilePairs {
    char* arr;
    std::size_t n, n_squares, unit, edge, n_joined;
    std::ptrdiff_t pitch;

    TilePairs(char* array, std::size_t size, std::size_t between, std::size_t unit_nbytes)
        : arr(array), n(size), n_squares(between), unit(unit_nbytes), edge(tile_edge(size, unit_nbytes)),
          n_joined(edge < n ? 1 : longest_tile(unit) / n), pitch(steps(between * n * unit)) {}

    std::size_t size(std::size_t i) const { return std::min(edge, n - i); }
    std::size_t n_squares_of(TilePair pair) const { return std::min(n_joined, n_squares - pair.square); }
    char* upper(TilePair pair) const { return arr + (pair.square * n + pair.j) * unit + steps(pair.i, pitch); }
    char* lower(TilePair pair) const { return upper({pair.square, pair.j, pair.i, pair.any}); }
    TilePair after(TilePair pair) const {
        if ((pair.j += edge) >= n) pair.j = pair.i += edge;
        if (pair.i >= n) pair = {pair.square + n_joined, 0, 0, pair.square + n_joined < n_squares};
        return pair;
    }
};

// Fetches the rows of a tile pair in turn, each time as many as hold the bytes asked for.
class TileFetcher {
   public:
    TileFetcher(const TilePairs& tiles, TilePair pair) : pitch_(tiles.pitch) {
        if (!pair.any) return;
        upper_ = {tiles.upper(pair), tiles.size(pair.i), tiles.size(pair.j) * tiles.n_squares_of(pair) * tiles.unit};
        if (pair.i != pair.j) lower_ = {tiles.lower(pair), tiles.size(pair.j), tiles.size(pair.i) * tiles.unit};
    }

    void operator()(std::size_t nbytes) {
        due_ += steps(nbytes);
        while (due_ > 0 && (upper_.n != 0 || lower_.n != 0)) {
            fetch(upper_);
            fetch(lower_);
        }
    }

   private:
    struct Rows {
        const char* first = nullptr;
        std::size_t n = 0, nbytes = 0;
    };

    void fetch(Rows& rows) {
        if (rows.n == 0) return;
        prefetch_run(rows.first, rows.nbytes);
        due_ -= steps(rows.nbytes);
        rows.first += pitch_;
        --rows.n;
    }

    Rows upper_, lower_;
    std::ptrdiff_t pitch_, due_ = 0;
};

#ifdef IPT_HAS_SIMD
// The pairs of tiles, as above, whose rows are single lines: of a band of rows at a time, column by column. The first
// tile is as narrow as makes the others begin with a line.
template <std::size_t width>
struct LinePairs {
    static constexpr std::size_t edge = tuning::line / width;
    char* arr;
    std::size_t n, n_squares, lead;
    std::ptrdiff_t pitch;

    struct Pair {
        std::size_t square, i, j, band, next_band;
        bool any;  // false behind the last
    };

    LinePairs(char* array, std::size_t size, std::size_t between)
        : arr(array), n(size), n_squares(between),
          lead((0 - reinterpret_cast<std::uintptr_t>(array)) % tuning::line / width),
          pitch(steps(between * n * width)) {}

    std::size_t size(std::size_t i) const { return i == 0 && lead != 0 ? lead : std::min(edge, n - i); }
    std::size_t behind(std::size_t band) const { return std::min(n, band + size(band) + rows_of_band() - edge); }
    char* upper(const Pair& pair) const { return arr + (pair.square * n + pair.j) * width + steps(pair.i, pitch); }
    char* lower(const Pair& pair) const { return arr + (pair.square * n + pair.i) * width + steps(pair.j, pitch); }
    Pair first() const { return {0, 0, 0, 0, behind(0), true}; }

    void advance(Pair& pair) const {
        pair.i += size(pair.i);
        if (pair.i <= pair.j && pair.i < pair.next_band) return;
        pair.i = pair.band;
        pair.j += size(pair.j);
        if (pair.j < n) return;
        pair.band = pair.next_band < n ? pair.next_band : 0;
        if (pair.band == 0) pair.any = ++pair.square < n_squares;
        pair.i = pair.j = pair.band;
        pair.next_band = behind(pair.band);
    }

    void fetch(const Pair& pair) const {
        const char *upper_row = upper(pair), *lower_row = lower(pair);
        for (std::size_t k = 0; k < edge; ++k, upper_row += pitch) prefetch(upper_row);
        for (std::size_t k = 0; k < edge; ++k, lower_row += pitch) prefetch(lower_row);
    }

    // Measured. More lines ahead evict each other; the rows of a band and as many of the other side are pages that the
    // first level of a TLB holds.
    static std::size_t lines_ahead() {
        return width == 8 ? 96 : this_processor() == Processor::intel ? 32 : 64;
    }

   private:
    // A number of tiles.
    static std::size_t rows_of_band() {
        return this_processor() == Processor::intel ? 64 : width == 8 ? 24 : 32;
    }
};

// Tells whether rows lie so many pages apart that those of a tile evict each other from the second level of the TLB
// (256 sets of 12 pages), and their lines from the caches. Measured, for pitches that are powers of two. On Sapphire
// Rapids squares by lines are 1.4 to 1.9 times as fast as by buffers at powers of two, 0.93 to 1.6 times at others.
template <std::size_t width>
bool suits_lines(const char* arr, std::size_t n, std::ptrdiff_t pitch) {
    const bool aligned = reinterpret_cast<std::uintptr_t>(arr) % width == 0;
    const bool pages_compete = pitch % steps(tuning::page_conflict / width) == 0;
    return chosen_isa() == Isa::avx512 && aligned && n >= tuning::line &&
           (pages_compete || this_processor() == Processor::intel);
}

// As transpose_squares, where pages compete: each line is read and written once, by registers, and pairs of bands keep
// to pages that the TLB holds.
template <std::size_t width>
void transpose_squares_by_lines(char* arr, std::size_t n, std::size_t between) {
    constexpr std::size_t edge = LinePairs<width>::edge;
    const LinePairs<width> pairs(arr, n, between);
    auto pair = pairs.first(), next = pair;
    for (std::size_t i = 0; i < LinePairs<width>::lines_ahead(); i += 2 * edge) pairs.advance(next);
    for (; pair.any; pairs.advance(pair)) {
        if (next.any) {
            pairs.fetch(next);
            pairs.advance(next);
        }
        char *upper = pairs.upper(pair), *lower = pairs.lower(pair);
        const std::size_t high = pairs.size(pair.i), wide = pairs.size(pair.j), before = edge - high;
        if (high == edge && wide == edge) {
            LineTile<width>::template exchange<true>(upper, lower, pairs.pitch);
        } else if (wide == edge) {
            LineTile<width>::template exchange<false>(upper - steps(before, pairs.pitch), lower - before * width,
                                                      pairs.pitch, before, edge);
        } else if (high == edge) {
            LineTile<width>::template exchange<false>(lower, upper, pairs.pitch, 0, wide);
        } else {
            for (std::size_t r = 0; r < high; ++r)
                for (std::size_t c = upper == lower ? r + 1 : 0; c < wide; ++c) {
                    char* unit = upper + steps(r, pairs.pitch) + c * width;
                    std::swap_ranges(unit, unit + width, lower + steps(c, pairs.pitch) + r * width);
                }
        }
    }
}
#endif

// Transposes squares of n x n units in place, `between` of them that lie between each other's rows. Tiles change places
// with their mirror images, as in [1]: the upper one goes transposed into a buffer, the lower one transposed to where
// the upper was, and the buffer, row by row, to where the lower was. Where rows compete, so that the cache does not
// hold the upper tile meanwhile, the lower one takes a buffer too. All the while the tiles to come are fetched, evenly,
// since prefetches that come faster than memory are lost, except for single tiles that the cache does not hold.
template <std::size_t width>
void transpose_squares(char* arr, std::size_t n, std::size_t between, std::size_t unit, char* buffer) {
    const TilePairs tiles(arr, n, between, unit);
#ifdef IPT_HAS_SIMD
    if constexpr (width == 4 || width == 8)
        if (suits_lines<width>(arr, n, tiles.pitch)) return transpose_squares_by_lines<width>(arr, n, between);
#endif
    const auto whole = steps(unit), square = steps(n, whole), edge_pitch = steps(tiles.edge * tiles.n_joined, whole);
    const bool compete = rows_compete(tiles.pitch, std::max<std::size_t>(tuning::line / unit, 1));
    const bool evenly = tiles.edge < n || !compete;
    const bool joined = n_lanes<width> > 1 && compete && n * unit >= tuning::line && n * unit <= tuning::stripe / 2;
    for (TilePair pair{0, 0, 0, true}, next{}; pair.any; pair = next) {
        next = tiles.after(pair);
        TileFetcher fetch(tiles, next);
        const std::size_t high = tiles.size(pair.i), wide = tiles.size(pair.j), n_squares = tiles.n_squares_of(pair);
        char *upper = tiles.upper(pair), *lower = tiles.lower(pair), *other = buffer + steps(tiles.edge, edge_pitch);
        auto turn = [&](const char* from, Axis row, Axis column, char* to) {
            auto fetch_evenly = [&](std::size_t nbytes) {
                if (evenly) fetch(nbytes);
            };
            if constexpr (n_lanes<width> > 1)
                if (joined) return transpose_joined<width>(from, to, row, column, {n_squares, square, square});
            for (std::size_t s = 0; s < n_squares; ++s)
                transpose_block<width>(from + steps(s, square), to + steps(s, square), row, column, unit, fetch_evenly);
        };
        auto put = [&](char* to, const char* from, std::size_t n_rows, std::size_t nbytes) {
            for (std::size_t k = 0; k < n_rows; ++k) {
                fetch(nbytes);
                if (k + 2 < n_rows) prefetch_run<1>(to + steps(k + 2, tiles.pitch), nbytes);
                copy_long(to + steps(k, tiles.pitch), from + steps(k, edge_pitch), nbytes);
            }
        };
        turn(upper, {high, tiles.pitch, whole}, {wide, whole, edge_pitch}, buffer);
        if (upper != lower && compete) {
            turn(lower, {wide, tiles.pitch, whole}, {high, whole, edge_pitch}, other);
            put(upper, other, high, wide * unit);
        } else if (upper != lower) {
            turn(lower, {wide, tiles.pitch, whole}, {high, whole, tiles.pitch}, upper);
        }
        put(lower, buffer, wide, high * n_squares * unit);
    }
}

// The same unit by unit, for those that fill a tile.
inline void exchange_squares(char* arr, std::size_t n, std::size_t between, std::size_t unit) {
    for (std::size_t i = 0; i < n; ++i)
        for (std::size_t square = 0; square < between; ++square)
            for (std::size_t j = i + 1; j < n; ++j) {
                char* upper = arr + ((i * between + square) * n + j) * unit;
                std::swap_ranges(upper, upper + unit, arr + ((j * between + square) * n + i) * unit);
            }
}

inline std::size_t cycle_scratch(std::size_t n_units, std::size_t unit) {
    return (n_units + 7) / 8 + std::min(unit, tuning::piece);
}

// Transposes a grid of rows x columns contiguous units in place, along its cycles [1, 3]. The chain of moves does not
// depend on the data, so it is followed some moves ahead of the copying, and the units to come are prefetched.
inline void follow_cycles(char* arr, std::size_t rows, std::size_t columns, std::size_t unit, Gaps gaps, Moved moved,
                          char* scratch) {
    const std::size_t n_seen = (rows * columns + 7) / 8;
    auto* seen = reinterpret_cast<std::uint8_t*>(scratch);
    char* spare = scratch + n_seen;
    for (std::size_t begin = 0; begin < unit; begin += tuning::piece) {
        const std::size_t nbytes = std::min(tuning::piece, unit - begin);
        auto place = [&](std::size_t i) {
            return i == Cycles::spare ? spare : arr + i * unit + gaps.before(i) + begin;
        };
        const std::size_t ahead = std::clamp<std::size_t>(tuning::look_ahead / nbytes, 1, tuning::max_moves_ahead - 1);
        struct Copy {
            char *from, *to;
        };
        Copy copies[tuning::max_moves_ahead];
        std::size_t n_made = 0, n_done = 0;
        char* last = nullptr;  // where the unit before is: the next one takes its place
        std::memset(seen, 0, n_seen);
        Cycles cycles(rows, columns, seen, moved);
        auto make = [&]() -> const char* {
            Cycles::Move move;
            if (!cycles.next(move)) return nullptr;
            char* const from = place(move.from);
            copies[n_made++ % tuning::max_moves_ahead] = {from, move.to == Cycles::spare ? spare : last};
            return last = from;
        };
        while (n_made < ahead)
            if (const char* first = make()) prefetch_run(first, nbytes);
            else break;
        const auto copy = nbytes >= 2 * tuning::line && nbytes <= tuning::short_unit ? copy_downward : copy_fetching;
        while (n_done < n_made) {
            const Copy next = copies[n_done++ % tuning::max_moves_ahead];
            copy(next.to, next.from, nbytes, make());
        }
    }
}

// ---------------------------------------------------------------------------------------------------------------------
// Planner: which passes reverse the axes, and the traffic each is predicted to cause. Pure: sizes in, passes out
// ---------------------------------------------------------------------------------------------------------------------

enum class Kind {
    square,        // S: digits {n, between, n} -> the two n change places
    panel,         // P: digits sorted by `order` within each block, through scratch
    cycle,         // C: digits {rows, columns} -> {columns, rows}
    detach_first,  // the last `tail` rows of the first axis go to scratch, reversed
    attach_first,  // rows move apart, unless gaps were left for that, and each gets its tail from scratch
    detach_last,   // the last `tail` items of each row go to scratch, reversed; rows move together or leave gaps
    attach_last,   // the tails return from scratch, behind everything
    spread,        // P on digits {b, n} from the last block to the first, each written with gaps between units of b
    gather,        // P on digits {m, c}, each read with gaps between units of c
};

inline constexpr const char* kind_names[] = {"square",      "panel",       "cycle",  "detach_first", "attach_first",
                                             "detach_last", "attach_last", "spread", "gather"};

// One pass over `outer` equal blocks that lie one after the other, of `digits` (slow to fast) of units.
struct Pass {
    Kind kind;
    std::size_t outer;
    std::vector<std::size_t> digits;
    std::vector<std::size_t> order;  // panel: which digit comes first, second, ... afterwards
    std::size_t tail;                // detach, attach
    std::size_t unit;
    std::size_t scratch_nbytes;
    double traffic_nbytes;  // bytes between memory and core: whole lines, scratch where it leaves the cache
    Gaps gaps = {};
    Moved moved = {};         // cycle: which panels lie one place further; panels: that they go or come from there
    std::size_t n_moved = 0;  // panels: as many go round at a time

    std::size_t block_nbytes() const { return product(digits) * unit; }
};

using Plan = std::vector<Pass>;
using Order = std::vector<std::size_t>;

inline std::size_t whole_lines(std::size_t nbytes) { return (nbytes + tuning::line - 1) / tuning::line * tuning::line; }

inline double traffic(const Plan& plan) {
    double sum = 0;
    for (const Pass& pass : plan) sum += pass.traffic_nbytes;
    return sum;
}

// Tails stay in scratch while other passes run.
inline std::size_t tail_nbytes(const Plan& plan) {
    std::size_t most = 0;
    for (const Pass& pass : plan)
        if (pass.tail != 0) most = std::max(most, pass.scratch_nbytes);
    return most;
}

inline std::size_t scratch(const Plan& plan) {
    std::size_t most = 0;
    for (const Pass& pass : plan)
        if (pass.tail == 0) most = std::max(most, pass.scratch_nbytes);
    return most + tail_nbytes(plan);
}

inline std::string describe(const Plan& plan) {
    std::string text;
    auto number = [&](const char* name, std::size_t value) { text.append(name).append(std::to_string(value)); };
    auto list = [&](const char* before, const std::vector<std::size_t>& values, const char* after) {
        for (std::size_t i = 0; i < values.size(); ++i) number(i == 0 ? before : " ", values[i]);
        if (!values.empty()) text += after;
    };
    for (const Pass& pass : plan) {
        text += kind_names[static_cast<int>(pass.kind)];
        number(" ", pass.outer);
        list(" x [", pass.digits, "]");
        list(" -> (", pass.order, ")");
        if (pass.gaps.any()) number(" gaps ", pass.gaps.nbytes);
        if (pass.gaps.any()) number(" every ", pass.gaps.every);
        if (pass.tail != 0) number(" tail ", pass.tail);
        if (pass.n_moved != 0) number(" moved ", pass.n_moved);
        number(", unit ", pass.unit);
        number(", scratch ", pass.scratch_nbytes);
        number(", traffic ", static_cast<std::size_t>(pass.traffic_nbytes));
        text += "\n";
    }
    return text;
}

// ---------------------------------------------------------------------------------------------------------------------
// Planner: single passes and what they cost, told as traffic
// ---------------------------------------------------------------------------------------------------------------------

// The two copies of a panel pass: block -> scratch, scratch -> block.
struct Stages {
    std::vector<Axis> in, out;
    std::size_t unit, scratch_nbytes;
    double waste;  // time, told as traffic
};

// The stages by way of scratch in which axes lie in the order given; `padded` is the axis, counted from the fastest,
// whose steps begin with a line each, and at no power of two, lest they compete for the same sets of the cache.
inline Stages laid_out(const std::vector<Axis>& axes, std::size_t unit, std::size_t padded, double waste) {
    Stages stages{{}, {}, unit, 0, waste};
    std::ptrdiff_t stride = steps(unit);
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const Axis& axis = axes[axes.size() - 1 - i];
        if (i == padded && i > 0 && stride >= steps(tuning::stripe)) {
            stride = steps(whole_lines(static_cast<std::size_t>(stride)));
            if (stride % steps(8 * tuning::line) == 0) stride += steps(tuning::line);
        }
        stages.in.push_back({axis.n, axis.from, stride});
        stages.out.push_back({axis.n, stride, axis.to});
        stride *= steps(axis.n);
    }
    stages.scratch_nbytes = static_cast<std::size_t>(stride);
    return stages;
}

// Chooses the order in which a panel lies in scratch. Where the fastest axis on either side is shorter than a register,
// that order makes one of the copies a permutation of whole runs and the other a transposition of longer axes; where
// the two fastest axes are neighbours, the longer one is cut into two for that.
inline Stages stages_of(const std::vector<std::size_t>& digits, const std::vector<std::size_t>& order,
                        std::size_t unit) {
    Order shape_after;
    for (std::size_t digit : order) shape_after.push_back(digits[digit]);
    const auto from = strides_of(digits, unit), to = strides_of(shape_after, unit);
    std::vector<Axis> axes;
    for (std::size_t i = 0; i < order.size(); ++i) axes.push_back({shape_after[i], from[order[i]], to[i]});
    axes = merged(std::move(axes), unit);
    const auto whole = steps(unit);
    auto in_source = [](const Axis& a, const Axis& b) { return a.from > b.from; };
    const std::size_t lanes = n_lanes_of(unit);
    const Axis row = axes.back();
    const Axis column = *std::min_element(axes.begin(), axes.end(), [](auto& a, auto& b) { return a.from < b.from; });
    auto take = [&](const Axis& axis) {
        axes.erase(std::find_if(axes.begin(), axes.end(), [&](const Axis& a) { return a.to == axis.to; }));
    };
    // Puts an axis last; all but `lanes` steps of it if it is the neighbour of one that is too short.
    auto put_last = [&](Axis axis, bool neighbours) {
        take(axis);
        if (neighbours && axis.n % lanes == 0) {
            const auto n = steps(lanes);
            axes.push_back({lanes, axis.from, axis.to});
            axis = {axis.n / lanes, axis.from * n, axis.to * n};
        }
        return axis;
    };
    std::size_t padded = 0;
    constexpr double by_units = 4.0, in_pieces = 0.4;  // measured: without registers, or for less than a line at once
    const bool short_row = row.n * unit < tuning::line, short_column = column.n * unit < tuning::line;
    double waste = short_row && short_column ? by_units / 2 : short_row || short_column ? in_pieces : 0.0;
    if (column.n < lanes && row.n >= lanes) {
        const bool neighbours = row.from == steps(column.n, whole);
        const Axis last = put_last(row, neighbours);
        waste = !neighbours || (row.n % lanes == 0 && last.n >= lanes) ? 0.0 : by_units;
        std::sort(axes.begin(), axes.end(), in_source);
        axes.push_back(last);
        padded = 1;
    } else if (row.n < lanes && column.n >= lanes) {
        const bool neighbours = column.to == steps(row.n, whole);
        const Axis last = put_last(column, neighbours);
        waste = !neighbours || (column.n % lanes == 0 && last.n >= lanes) ? 0.0 : by_units;
        std::sort(axes.begin(), axes.end(), [](const Axis& a, const Axis& b) { return a.to > b.to; });
        axes.push_back(last);
    } else {
        if (row.n < lanes) waste = by_units;
        while (axes[axes.size() - 1 - padded].to != column.to) ++padded;
    }
    return laid_out(axes, unit, padded, waste);
}

inline Pass square_pass(std::size_t outer, std::size_t n, std::size_t between, std::size_t unit,
                        Processor on = this_processor()) {
    const double nbytes = static_cast<double>(outer) * static_cast<double>(n * n * between * unit);
    // Rows shorter than a line are fetched whole. Measured: registers take no other units.
    const double waste = std::max(1.0, static_cast<double>(tuning::line) / static_cast<double>(n * unit)) +
                         (n_lanes_of(unit) > 1 || unit >= tuning::line ? 0.0 : 1.0);
    const std::size_t scratch_nbytes = longest_tile(unit) == 1 ? 0 : square_scratch(n, unit);
    // Measured against panels: two tiles far apart at a time.
    const double apart = on == Processor::intel ? 1.7 : 1.2;
    return {Kind::square, outer, {n, between, n}, {}, 0, unit, scratch_nbytes, apart * 2 * nbytes * waste};
}

// Panels that `moved` has move: registers take both axes.
inline bool may_move(const std::vector<std::size_t>& digits, const std::vector<std::size_t>& order, std::size_t unit) {
    const std::size_t lanes = n_lanes_of(unit);
    return order == std::vector<std::size_t>{1, 0} && digits[0] >= lanes && digits[1] >= lanes;
}

inline Pass panel_pass(std::size_t outer, std::vector<std::size_t> digits, std::vector<std::size_t> order,
                       std::size_t unit, Processor on = this_processor()) {
    const Stages stages = stages_of(digits, order, unit);
    const std::size_t block = product(digits) * unit;
    const double nbytes = static_cast<double>(outer) * static_cast<double>(block);
    // Measured, against panels that fit the second-level cache together with their scratch.
    double beyond_cache = block <= tuning::far ? 1 + static_cast<double>(block) / static_cast<double>(28 * tuning::near)
                                               : 2.0;
    if (block > 2 * tuning::near && digits.size() == 2 && digits.back() * unit < tuning::long_row) beyond_cache += 0.5;
    if (on == Processor::intel) {
        const double size = static_cast<double>(block) / (1 << 20);
        const bool short_rows = digits.back() * unit < tuning::long_row && digits.front() > 64;
        if (outer > 1 && may_move(digits, order, unit))
            beyond_cache = std::min(1.05 + 0.35 * size, 2.1) + (short_rows ? 0.4 : 0.0);
        else
            beyond_cache = std::min(1.7 + 1.6 * std::max(size - 0.5, 0.0), 4.2);
    }
    const double fresh = 4 * static_cast<double>(stages.scratch_nbytes);  // the same, of pages that nobody touched yet
    return {Kind::panel, outer, std::move(digits), std::move(order), 0, unit, stages.scratch_nbytes,
            2 * nbytes * (beyond_cache + stages.waste) + fresh};
}

// Measured, against panels: what cycles cost for units of so many bytes. Units come in no order that hardware foresees;
// from about eight lines on it fetches more behind them, in vain. The larger the array, the more of the tables in which
// the page of a unit is looked up has left the caches.
inline double cycle_waste(std::size_t unit, std::size_t block, Processor on) {
    struct Measured {
        double unit, waste;
    };
    static constexpr Measured zen[] = {{64, 1.8},  {128, 1.2}, {192, 1.0}, {256, 0.86}, {320, 0.82},
                                       {448, 1.05}, {512, 1.2}, {576, 1.0}, {640, 0.9},  {768, 0.9},
                                       {960, 0.75}, {1024, 0.9}, {2048, 0.84}};
    // Sapphire Rapids: arrays begin 16 bytes behind a line there too, so that every unit is one line more.
    static constexpr Measured rapids[] = {{64, 3.0}, {128, 2.3}, {192, 1.8}, {256, 1.6}, {320, 1.4}, {2048, 1.3}};
    const bool intel = on == Processor::intel;
    const Measured* const table = intel ? rapids : zen;
    const std::size_t n_measured = intel ? std::size(rapids) : std::size(zen);
    const double within_cache = block <= 2 * tuning::far ? 0.75 : 1.0, size = static_cast<double>(unit);
    const double part_of_line = unit % tuning::line == 0 || intel ? 1.0 : 1.25;  // one line more
    const double look_ups = static_cast<double>(tuning::line) * static_cast<double>(block) / (256 << 20) / size;
    if (size < table[0].unit) return within_cache * table[0].waste * table[0].unit / size + look_ups;
    for (std::size_t i = 1; i < n_measured; ++i) {
        const Measured &low = table[i - 1], &high = table[i];
        if (size >= high.unit) continue;
        const double waste = low.waste + (high.waste - low.waste) * (size - low.unit) / (high.unit - low.unit);
        return within_cache * part_of_line * waste + look_ups;
    }
    return (intel ? 1.2 : 0.8) + look_ups;
}

inline Pass cycle_pass(std::size_t outer, std::size_t rows, std::size_t columns, std::size_t unit, Gaps gaps = {},
                       Processor on = this_processor()) {
    const double nbytes = static_cast<double>(outer) * static_cast<double>(rows * columns * unit);
    const double waste = cycle_waste(unit, rows * columns * unit, on);
    const std::size_t scratch_nbytes = cycle_scratch(rows * columns, unit);
    return {Kind::cycle, outer, {rows, columns}, {}, 0, unit, scratch_nbytes, 2 * nbytes * waste, gaps};
}

// ---------------------------------------------------------------------------------------------------------------------
// Planner: sequences of passes
// ---------------------------------------------------------------------------------------------------------------------

// The digits of the axes in the order of memory, slow to fast, and the order wanted.
struct Digits {
    std::vector<std::size_t> sizes;     // by rank, which is the place in the order wanted
    std::vector<std::size_t> ranks;      // the digits as they lie in memory
};

// Axis i is cut into two digits [2], n / tiles[i] and tiles[i], unless tiles[i] is 1 or n.
inline Digits digits_of(const std::vector<std::size_t>& shape, const std::vector<std::size_t>& tiles) {
    Digits digits;
    std::vector<std::vector<std::size_t>> ranks(shape.size());
    for (std::size_t i = shape.size(); i-- > 0;) {
        const bool whole = tiles[i] == 1 || tiles[i] == shape[i];
        for (std::size_t n : whole ? std::vector{shape[i]} : std::vector{shape[i] / tiles[i], tiles[i]}) {
            ranks[i].push_back(digits.sizes.size());
            digits.sizes.push_back(n);
        }
    }
    for (const auto& of_axis : ranks) digits.ranks.insert(digits.ranks.end(), of_axis.begin(), of_axis.end());
    return digits;
}

// Calls action(pass, order afterwards) for every pass that may follow: sorting the digits from one place on, changing
// two neighbouring groups of digits, changing two digits of one size.
template <class Action>
void for_each_pass(const Digits& digits, const Order& order, std::size_t unit, Processor on, Action&& action) {
    const std::size_t n = order.size();
    std::vector<std::size_t> sizes(n), units(n + 1, unit);
    for (std::size_t i = n; i-- > 0;) {
        sizes[i] = digits.sizes[order[i]];
        units[i] = units[i + 1] * sizes[i];
    }
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t outer = units[0] / units[i];
        Order next = order;
        std::sort(next.begin() + steps(i), next.end());
        if (next != order) {
            std::vector<std::size_t> places(n - i);
            std::iota(places.begin(), places.end(), std::size_t{0});
            std::sort(places.begin(), places.end(), [&](auto a, auto b) { return order[i + a] < order[i + b]; });
            action(panel_pass(outer, {sizes.begin() + steps(i), sizes.end()}, places, unit, on), next);
        }
        for (std::size_t j = i + 1; j < n; ++j) {
            if (sizes[i] == sizes[j]) {
                next = order;
                std::swap(next[i], next[j]);
                action(square_pass(outer, sizes[i], units[i + 1] / units[j], units[j + 1], on), next);
            }
            for (std::size_t end = j + 1; end <= n; ++end) {
                next = order;
                std::rotate(next.begin() + steps(i), next.begin() + steps(j), next.begin() + steps(end));
                action(cycle_pass(outer, units[i] / units[j], units[j] / units[end], units[end], {}, on), next);
            }
        }
    }
}

// The cheapest sequence of passes that sorts the digits, by Dijkstra's algorithm over their orders; false if none costs
// less than `limit` within the scratch.
inline bool cheapest(const Digits& digits, std::size_t unit, std::size_t scratch_nbytes, Processor on, double limit,
                     Plan& plan) {
    struct Reached {
        double traffic;
        Order before;
        Pass pass;
    };
    std::map<Order, Reached> reached{{digits.ranks, {0, {}, {}}}};
    std::set<std::pair<double, Order>> frontier{{0, digits.ranks}};
    while (!frontier.empty()) {
        const auto [so_far, order] = *frontier.begin();
        frontier.erase(frontier.begin());
        if (std::is_sorted(order.begin(), order.end())) {
            plan.clear();
            for (Order at = order; at != digits.ranks; at = reached.at(at).before) plan.push_back(reached.at(at).pass);
            std::reverse(plan.begin(), plan.end());
            return true;
        }
        for_each_pass(digits, order, unit, on, [&, so_far = so_far, &order = order](Pass pass, const Order& next) {
            const double sum = so_far + pass.traffic_nbytes;
            if (pass.scratch_nbytes > scratch_nbytes || sum >= limit) return;
            const auto known = reached.find(next);
            if (known != reached.end() && known->second.traffic <= sum) return;
            if (known != reached.end()) frontier.erase({known->second.traffic, next});
            reached[next] = {sum, order, std::move(pass)};
            frontier.insert({sum, next});
        });
    }
    return false;
}

// Divisors of n that make units of a line to some pages, at most one for each power of two.
inline std::vector<std::size_t> tiles_of(std::size_t n, std::size_t unit) {
    std::vector<std::size_t> tiles;
    std::size_t limit = std::min(n / 2, tuning::longest_unit / unit);
    for (std::size_t tile = limit; tile > 1; --tile) {
        if (n % tile != 0 || tile > limit) continue;
        tiles.push_back(tile);
        limit = tile / 2;
    }
    return tiles;
}

// Splits off the last `tail` entries of the first or the last axis, reverses the rest, and puts them back.
inline Plan with_tail(const std::vector<std::size_t>& shape, std::size_t unit, std::size_t tail, bool first,
                      const Plan& inner, Gaps gaps = {}) {
    const std::size_t n_items = product(shape), n = first ? shape.front() : shape.back(), n_tails = n_items / n;
    const std::size_t nbytes = n_tails * tail * unit;
    const double some = 4 * static_cast<double>(nbytes);
    // Measured, against panels: rows that move together, and those that move apart, downward.
    const double waste = !first ? 0.6 : n * unit < tuning::short_move ? 1.0 : 0.75;
    const double rows = gaps.any() ? static_cast<double>(2 * n_tails * tuning::line)
                                   : 2 * waste * static_cast<double>(n_items * unit);
    const Kind detach = first ? Kind::detach_first : Kind::detach_last;
    const Kind attach = first ? Kind::attach_first : Kind::attach_last;
    Plan plan{{detach, 1, shape, {}, tail, unit, nbytes, first ? some : rows + some, gaps}};
    plan.insert(plan.end(), inner.begin(), inner.end());
    plan.push_back({attach, 1, shape, {}, tail, unit, nbytes, first ? rows + some : some, gaps});
    return plan;
}

// Two axes of which a tile leaves a remainder: the panels leave room for its rows, or close it after its columns, so
// that no pass of its own is needed for that.
inline Plan with_gaps(std::size_t rows, std::size_t columns, std::size_t tile, bool first, std::size_t unit,
                      Processor on = this_processor()) {
    const std::size_t n = first ? rows : columns, n_tiles = n / tile, tail = n % tile, other = first ? columns : rows;
    const Gaps gaps{n_tiles, tail * unit};
    Pass panels = panel_pass(n_tiles, first ? Order{tile, columns} : Order{rows, tile}, {1, 0}, unit, on);
    panels.kind = first ? Kind::spread : Kind::gather;
    panels.gaps = gaps;
    panels.scratch_nbytes = tile * other * unit;
    if (!first) panels.traffic_nbytes *= 1.3;  // each panel is written while its lines are not in the cache
    const Pass cycle = first ? cycle_pass(1, n_tiles, columns, tile * unit, gaps, on)
                             : cycle_pass(1, rows, n_tiles, tile * unit, gaps, on);
    return with_tail({rows, columns}, unit, tail, first, first ? Plan{panels, cycle} : Plan{cycle, panels}, gaps);
}

// Panels beside cycles need no way back: each goes transposed to the place of the next one, the last by way of scratch
// to the first place, and cycles take each from one place further; or cycles leave them there, and panels come from one
// place further. Each is read once and written once.
inline Plan moved(Plan plan) {
    for (std::size_t i = 0; i < plan.size(); ++i) {
        if (plan[i].kind != Kind::cycle) continue;
        auto move = [&](Pass& panels, std::size_t n, bool Moved::*side) {
            const bool any = panels.kind == Kind::panel || panels.kind == Kind::spread || panels.kind == Kind::gather;
            if (!any || panels.n_moved != 0 || n < 2 || panels.outer != plan[i].outer * n) return;
            if (panels.kind == Kind::panel && !may_move(panels.digits, panels.order, panels.unit)) return;
            panels.moved.*side = plan[i].moved.*side = true;
            panels.n_moved = n;
            panels.scratch_nbytes = panels.block_nbytes();
        };
        if (i > 0) move(plan[i - 1], plan[i].digits[0], &Moved::rows);
        if (i + 1 < plan.size()) move(plan[i + 1], plan[i].digits[1], &Moved::columns);
    }
    return plan;
}

// The cheapest plan for up to five axes: whole axes; one axis cut into tiles [1]; the first and the last cut by their
// greatest common divisor [2]; or the first or the last axis without what it is longer than the other, or without the
// remainder that tiles leave. Empty if none fits.
inline Plan best_of_cuts(const std::vector<std::size_t>& shape, std::size_t unit, std::size_t scratch_nbytes,
                         Processor on) {
    const std::size_t n_axes = shape.size();
    const std::vector<std::size_t> whole(n_axes, 1);
    Plan best;
    double limit = std::numeric_limits<double>::infinity();
    auto attempt = [&](const std::vector<std::size_t>& sizes, const std::vector<std::size_t>& tiles, std::size_t tail,
                       bool first) {
        const Digits digits = digits_of(sizes, tiles);
        if (digits.sizes.size() > tuning::widest_search) return;
        const Plan frame = tail == 0 ? Plan{} : with_tail(shape, unit, tail, first, {});
        if (tail_nbytes(frame) > scratch_nbytes) return;
        Plan plan;
        if (!cheapest(digits, unit, scratch_nbytes - tail_nbytes(frame), on, limit - traffic(frame), plan)) return;
        best = tail == 0 ? plan : with_tail(shape, unit, tail, first, plan);
        limit = traffic(best);
    };
    auto consider = [&](Plan plan) {
        if (scratch(plan) > scratch_nbytes || traffic(plan) >= limit) return;
        limit = traffic(plan);
        best = std::move(plan);
    };
    attempt(shape, whole, 0, true);
    for (std::size_t i = 0; i < n_axes; ++i)
        for (std::size_t tile : tiles_of(shape[i], unit)) {
            auto tiles = whole;
            tiles[i] = tile;
            attempt(shape, tiles, 0, true);
        }
    const std::size_t shorter = std::min(shape.front(), shape.back()), longer = std::max(shape.front(), shape.back());
    if (shorter < longer && longer < 2 * shorter) {
        auto sizes = shape;
        sizes.front() = sizes.back() = shorter;
        attempt(sizes, whole, longer - shorter, shape.front() == longer);
    }
    const std::size_t divisor = std::gcd(shape.front(), shape.back());
    if (divisor > 1) {
        auto tiles = whole;
        tiles.front() = shape.front() / divisor;
        tiles.back() = shape.back() / divisor;
        attempt(shape, tiles, 0, true);
    }
    // Odd numbers of lines, lest the rows of scratch compete, and those that cycles move best.
    const std::size_t between = (on == Processor::intel ? 4 : 15) * tuning::line;
    for (std::size_t nbytes : {tuning::line, 5 * tuning::line, between, 33 * tuning::line})
        for (std::size_t i : {std::size_t{0}, n_axes - 1}) {
            const std::size_t tile = nbytes / unit;
            if (tile < 2 || shape[i] < tile) continue;
            const std::size_t other = shape[n_axes - 1 - i], tail = shape[i] % tile;
            if (n_axes == 2 && tail != 0 && other >= n_lanes_of(unit))
                consider(with_gaps(shape[0], shape[1], tile, i == 0, unit, on));
            auto tiles = whole, sizes = shape;
            tiles[i] = tile;
            sizes[i] -= tail;
            attempt(sizes, tiles, tail, i == 0);
        }
    return best;
}

// The passes that reverse the axes of a C-ordered array. Many axes, or shapes for which scratch is short, are taken
// in two groups: the groups change places, and then each is reversed.
inline Plan plan(std::vector<std::size_t> shape, std::size_t unit, std::size_t scratch_nbytes,
                 Processor on = this_processor()) {
    shape.erase(std::remove(shape.begin(), shape.end(), std::size_t{1}), shape.end());
    const std::size_t n_axes = shape.size();
    if (n_axes < 2) return {};
    auto reversal = [](std::size_t n) {
        std::vector<std::size_t> order(n);
        for (std::size_t i = 0; i < n; ++i) order[i] = n - 1 - i;
        return order;
    };
    if (product(shape) * unit <= tuning::near) {
        Pass all = panel_pass(1, shape, reversal(n_axes), unit, on);
        if (all.scratch_nbytes <= scratch_nbytes) return {all};
    }
    if (n_axes < tuning::widest_search) {
        Plan best = best_of_cuts(shape, unit, scratch_nbytes, on);
        if (!best.empty()) return on == Processor::intel ? moved(std::move(best)) : best;
        if (n_axes == 2) throw std::length_error("no plan transposes this array within the scratch allowed");
    }
    std::size_t n_first = 1;
    while (n_first + 1 < n_axes && product(shape, 0, n_first + 1) * unit <= tuning::near) ++n_first;
    const std::vector<std::size_t> first(shape.begin(), shape.begin() + steps(n_first));
    const std::vector<std::size_t> rest(shape.begin() + steps(n_first), shape.end());
    Plan passes = plan({product(first), product(rest)}, unit, scratch_nbytes, on);
    if (n_first > 1) passes.push_back(panel_pass(product(rest), first, reversal(n_first), unit, on));
    const Plan others = plan(rest, unit * product(first), scratch_nbytes, on);
    passes.insert(passes.end(), others.begin(), others.end());
    return passes;
}

// ---------------------------------------------------------------------------------------------------------------------
// Carrying out a plan
// ---------------------------------------------------------------------------------------------------------------------

// A pass with everything prepared that takes memory.
class Step {
   public:
    explicit Step(const Pass& pass) : pass_(pass), block_(pass.block_nbytes()) {
        const auto whole = steps(pass.unit);
        if (pass.n_moved != 0) return;
        if (pass.kind == Kind::panel) {
            const Stages stages = stages_of(pass.digits, pass.order, pass.unit);
            in_ = Permute(stages.in, stages.unit);
            // Measured: with its scratch and the next one a panel fits the cache, or long rows are read in order.
            const bool long_rows = pass.digits.size() == 2 && pass.digits.back() * pass.unit >= tuning::long_row;
            const bool fetches = block_ <= tuning::near * 2 / 3 || (long_rows && block_ <= tuning::far);
            out_ = Permute(stages.out, stages.unit, fetches ? steps(block_) : 0);
            reads_ahead_ = block_ <= tuning::far && !out_.fetches();
        } else if (pass.kind == Kind::spread || pass.kind == Kind::gather) {
            const std::size_t rows = pass.digits[0], columns = pass.digits[1];
            in_ = Permute({{rows, steps(columns, whole), whole},
                           {columns, whole, steps(rows, whole)}},
                          pass.unit);
        } else if (pass.kind == Kind::detach_first || pass.kind == Kind::detach_last) {
            auto tails = pass.digits;
            (pass.kind == Kind::detach_first ? tails.front() : tails.back()) = pass.tail;
            const auto from = strides_of(pass.digits, pass.unit);
            const auto to = strides_of({tails.rbegin(), tails.rend()}, pass.unit);
            std::vector<Axis> axes;
            for (std::size_t i = 0; i < tails.size(); ++i)
                axes.push_back({tails[i], from[i], to[tails.size() - 1 - i]});
            in_ = Permute(axes, pass.unit);
        }
    }

    // `tails` is what detach leaves for attach.
    void operator()(char* arr, char* scratch, char* tails) const {
        for (std::size_t i = 0; pass_.n_moved != 0 && i < pass_.outer; i += pass_.n_moved)
            move_panels(arr + i * block_, scratch);
        if (pass_.n_moved != 0) return;
        for (std::size_t i = 0; i < pass_.outer; ++i) {
            char* block = arr + i * block_;
            switch (pass_.kind) {
                case Kind::square: squares(block, scratch); break;
                case Kind::cycle:
                    follow_cycles(block, pass_.digits[0], pass_.digits[1], pass_.unit, pass_.gaps, pass_.moved,
                                  scratch);
                    break;
                case Kind::panel:
                    if (reads_ahead_) read_ahead(block, block_);
                    in_(block, scratch);
                    out_(scratch, block);
                    break;
                case Kind::spread: spread(arr, pass_.outer - 1 - i, scratch); break;
                case Kind::gather: gather(arr, i, scratch); break;
                case Kind::detach_first: in_(block + (block_ - tails_nbytes()), tails); break;
                case Kind::detach_last: detach_last(block, tails); break;
                case Kind::attach_first: attach_first(block, tails); break;
                case Kind::attach_last: std::memcpy(block + (block_ - tails_nbytes()), tails, tails_nbytes()); break;
            }
        }
    }

   private:
    std::size_t tails_nbytes() const { return pass_.scratch_nbytes; }

    void squares(char* block, char* scratch) const {
        const std::size_t n = pass_.digits[0], between = pass_.digits[1], unit = pass_.unit;
        if (longest_tile(unit) == 1) return exchange_squares(block, n, between, unit);
        visit_width(unit, [&](auto width) {
            transpose_squares<decltype(width)::value>(block, n, between, unit, scratch);
        });
    }

    // Calls action(unit's place in the array, its place in the block, bytes) for the runs of a block without a gap.
    template <class Action>
    void for_each_run(std::size_t i_block, std::size_t unit, Action&& action) const {
        if (!pass_.gaps.any()) return action(i_block * block_, 0, block_);
        const std::size_t n_units = block_ / unit, every = pass_.gaps.every;
        for (std::size_t i = i_block * n_units, end = i + n_units; i < end;) {
            const std::size_t next = std::min(end, (i / every + 1) * every);
            action(i * unit + pass_.gaps.before(i), (i - i_block * n_units) * unit, (next - i) * unit);
            i = next;
        }
    }

    // Panels to the places behind them, or from there; see `moved`.
    void move_panels(char* arr, char* scratch) const {
        const std::size_t rows = pass_.digits[0], columns = pass_.digits[1], unit = pass_.unit;
        const std::size_t last = pass_.n_moved - 1;
        if (pass_.moved.rows) {
            turn(arr + last * block_, scratch, rows, columns);
            for (std::size_t i = last; i-- > 0;)
                for_each_run(i + 1, rows * unit, [&](std::size_t to, std::size_t at, std::size_t nbytes) {
                    turn(arr + i * block_ + at / rows, arr + to, rows, nbytes / (rows * unit));
                });
            for_each_run(0, rows * unit, [&](std::size_t to, std::size_t at, std::size_t nbytes) {
                copy_long(arr + to, scratch + at, nbytes);
            });
        } else {
            for (std::size_t i = 0; i <= last; ++i) {
                char* target = i == 0 ? scratch : arr + (i - 1) * block_;
                for_each_run(i, columns * unit, [&](std::size_t from, std::size_t at, std::size_t nbytes) {
                    turn(arr + from, target + at / columns, nbytes / (columns * unit), columns);
                });
            }
            copy_long(arr + last * block_, scratch, block_);
        }
    }

    // Transposes some rows or columns of a panel. Measured on Sapphire Rapids: targets that are brought into the
    // first-level cache a stripe of columns ahead, into the second or not at all 10 to 50 % slower.
    void turn(const char* from, char* to, std::size_t rows, std::size_t columns) const {
        const std::size_t unit = pass_.unit;
        const Axis row{rows, steps(pass_.digits[1] * unit), steps(unit)};
        const Axis column{columns, steps(unit), steps(pass_.digits[0] * unit)};
        const char *at = to + std::max<std::size_t>(tuning::stripe / unit, 1) * pass_.digits[0] * unit,
                   *end = to + columns * pass_.digits[0] * unit;
        std::ptrdiff_t due = 0;
        auto fetch = [&](std::size_t nbytes) {
            if (rows != pass_.digits[0]) return;
            for (due += steps(nbytes); due > 0 && at < end; at += tuning::line, due -= steps(tuning::line))
                prefetch<1>(at);
        };
        visit_width(unit, [&](auto width) {
            transpose_block<decltype(width)::value>(from, to, row, column, unit, fetch);
        });
    }

    // The blocks below are where they were: those behind have moved up already.
    void spread(char* arr, std::size_t i_block, char* scratch) const {
        char* block = arr + i_block * block_;
        in_(block, scratch);
        const char* next = i_block == 0 ? nullptr : block - block_;
        for_each_run(i_block, pass_.digits[0] * pass_.unit, [&](std::size_t to, std::size_t from, std::size_t nbytes) {
            copy_fetching(arr + to, scratch + from, nbytes, next == nullptr ? nullptr : next + from);
        });
    }

    void gather(char* arr, std::size_t i_block, char* scratch) const {
        for_each_run(i_block, pass_.digits[1] * pass_.unit, [&](std::size_t from, std::size_t to, std::size_t nbytes) {
            copy_fetching(scratch + to, arr + from, nbytes, nullptr);
        });
        in_(scratch, arr + i_block * block_);
    }

    void detach_last(char* block, char* tails) const {
        const std::size_t row = pass_.digits.back() * pass_.unit, kept = row - pass_.tail * pass_.unit;
        in_(block + kept, tails);
        if (pass_.gaps.any()) return;
        for (std::size_t r = 1; r < block_ / row; ++r) std::memmove(block + r * kept, block + r * row, kept);
    }

    void attach_first(char* block, const char* tails) const {
        const std::size_t row = pass_.digits.front() * pass_.unit, tail = pass_.tail * pass_.unit, kept = row - tail;
        const std::size_t n_rows = block_ / row;
        const std::size_t rows_ahead = kept < tuning::short_move ? tuning::look_ahead / kept : n_rows;
        for (std::size_t r = n_rows; r-- > 0;) {
            if (!pass_.gaps.any()) {
                if (r >= rows_ahead) prefetch_run(block + (r - rows_ahead) * kept, kept);
                move_up(block + r * row, block + r * kept, kept);
            }
            copy_run(block + r * row + kept, tails + r * tail, tail);
        }
    }

    Pass pass_;
    std::size_t block_;
    Permute in_, out_;
    bool reads_ahead_ = false;  // short rows, or a copy back of which none is fetched ahead
};

inline void run(const Plan& plan, char* arr) {
    const std::vector<Step> steps(plan.begin(), plan.end());
    struct alignas(tuning::line) Line {
        char bytes[tuning::line];
    };
    const std::unique_ptr<Line[]> buffer(new Line[scratch(plan) / tuning::line + 1]);
    char* const first = reinterpret_cast<char*>(buffer.get());
    for (const Step& step : steps) step(arr, first, first + (scratch(plan) - tail_nbytes(plan)));
}

// ---------------------------------------------------------------------------------------------------------------------
// What callers use
// ---------------------------------------------------------------------------------------------------------------------

// Reverses the axes of a C-ordered array of `shape` in its own buffer. `scratch_nbytes` 0 stands for the default.
inline void reverse_axes(void* arr, const std::size_t* shape, std::size_t n_axes, std::size_t item_nbytes,
                         std::size_t scratch_nbytes = 0) {
    const std::vector<std::size_t> sizes(shape, shape + n_axes);
    const std::size_t nbytes = product(sizes) * item_nbytes;
    if (nbytes == 0) return;
    run(plan(sizes, item_nbytes, scratch_nbytes == 0 ? default_scratch(nbytes) : scratch_nbytes),
        static_cast<char*>(arr));
}

// Copies an array with the given strides in bytes into a C-ordered one that does not overlap with it.
inline void copy_axes(const void* from, const std::ptrdiff_t* strides, void* to, const std::size_t* shape,
                      std::size_t n_axes, std::size_t item_nbytes) {
    const std::vector<std::size_t> sizes(shape, shape + n_axes);
    if (product(sizes) * item_nbytes == 0) return;
    provide(static_cast<char*>(to), product(sizes) * item_nbytes);
    auto reversed = strides_of({sizes.rbegin(), sizes.rend()}, item_nbytes);
    std::reverse(reversed.begin(), reversed.end());
    const auto shortest = n_axes == 2 ? std::min(sizes.front(), sizes.back()) : 0;
    if (shortest * item_nbytes < 16 && shortest > 1 && std::equal(reversed.begin(), reversed.end(), strides)) {
        // Axes shorter than a register: the passes in place cope with them.
        std::memcpy(to, from, product(sizes) * item_nbytes);
        const std::vector<std::size_t> shape_before(sizes.rbegin(), sizes.rend());
        return reverse_axes(to, shape_before.data(), n_axes, item_nbytes);
    }
    const auto targets = strides_of(sizes, item_nbytes);
    std::vector<Axis> axes;
    for (std::size_t i = 0; i < n_axes; ++i) axes.push_back({sizes[i], strides[i], targets[i]});
    const Relayout relayout(axes, item_nbytes);
    if (product(sizes) * item_nbytes > 4 * tuning::near && Relayout::suits(relayout))
        relayout(static_cast<const char*>(from), static_cast<char*>(to));
    else
        Permute(axes, item_nbytes)(static_cast<const char*>(from), static_cast<char*>(to));
}

template <class T>
void reverse_axes_of(T* arr, std::initializer_list<std::size_t> shape) {
    static_assert(std::is_trivially_copyable<T>::value, "items are moved byte by byte");
    reverse_axes(arr, shape.begin(), shape.size(), sizeof(T));
}

// Reverses the axes of a Fortran-ordered array (sx varies fastest): afterwards it has the shape (sy, sx), (sz, sy, sx)
// or (sw, sz, sy, sx), in Fortran order again.
template <class T>
void ipt(T* arr, std::size_t sx, std::size_t sy) {
    reverse_axes_of(arr, {sy, sx});
}

template <class T>
void ipt(T* arr, std::size_t sx, std::size_t sy, std::size_t sz) {
    reverse_axes_of(arr, {sz, sy, sx});
}

template <class T>
void ipt(T* arr, std::size_t sx, std::size_t sy, std::size_t sz, std::size_t sw) {
    reverse_axes_of(arr, {sw, sz, sy, sx});
}

}  // namespace ipt
