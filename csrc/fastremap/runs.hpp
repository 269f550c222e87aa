// Label images are runs of equal neighbours, and every label kernel walks runs.
//
// What:       cuts an array into pieces and each piece into its runs, and writes a value over each run, without a
//             branch that depends on the data.
// Requires:   a contiguous array.
// Complexity: O(n); one Runs buffer on the stack (about 25 KB for 8-byte labels).
// Source:     own; mispredicted branches at run ends are what a plain run loop spends most of its time on.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "isa.hpp"

namespace fastremap {

// Small enough for the buffers of a piece to stay in the first-level cache.
inline constexpr std::size_t piece_size = 2048;

// Vector code stores whole registers, of which only the first items count.
inline constexpr std::size_t slack = 64;

// The buffer type of the values of runs: narrow results are cut down only when they are written.
template <class Out>
using value_of = std::conditional_t<sizeof(Out) == 8, std::uint64_t, std::uint32_t>;

// Each of the three steps exists once for every instruction set:
//   split:     labels -> the label of each run, and one bit per item that is the last of its run; returns the runs
//   positions: bits -> the index of the last item of each run
//   fill:      bits, a value per run -> a value per item
// The bit of item i is bit i % 8 of byte i / 8. The last item of a piece always ends a run.
namespace scalar {

template <class Label>
std::size_t split_from(std::size_t i, std::size_t run, const Label* labels, std::size_t n, Label* keys,
                       std::uint8_t* ends) {
    while (i < n) {  // i is a multiple of 8
        std::uint8_t byte = 0;
        const std::size_t stop = std::min(i + 8, n);
        for (std::size_t bit = 0; i < stop; ++i, ++bit) {
            const bool is_end = i + 1 == n || labels[i] != labels[i + 1];
            keys[run] = labels[i];
            run += is_end;
            byte = static_cast<std::uint8_t>(byte | (is_end << bit));
        }
        ends[(stop - 1) / 8] = byte;
    }
    return run;
}

template <class Label>
std::size_t split(const Label* labels, std::size_t n, Label* keys, std::uint8_t* ends) {
    return split_from(std::size_t{0}, std::size_t{0}, labels, n, keys, ends);
}

inline void positions_from(std::size_t i, std::size_t run, const std::uint8_t* ends, std::size_t n,
                           std::uint32_t* last) {
    for (; i < n; ++i) {
        last[run] = static_cast<std::uint32_t>(i);
        run += ends[i / 8] >> i % 8 & 1;
    }
}

inline void positions(const std::uint8_t* ends, std::size_t n, std::uint32_t* last) {
    positions_from(0, 0, ends, n, last);
}

template <class Out>
void fill_from(std::size_t i, std::size_t run, const std::uint8_t* ends, std::size_t n, const value_of<Out>* values,
               Out* out) {
    for (; i < n; ++i) {
        out[i] = static_cast<Out>(values[run]);
        run += ends[i / 8] >> i % 8 & 1;
    }
}

template <class Out>
void fill(const std::uint8_t* ends, std::size_t n, const value_of<Out>* values, Out* out) {
    fill_from(std::size_t{0}, std::size_t{0}, ends, n, values, out);
}

}  // namespace scalar
}  // namespace fastremap

#if FASTREMAP_X86
#include "runs_avx2.hpp"
#include "runs_avx512.hpp"
#endif

namespace fastremap {

template <class Label>
class Runs {
   public:
    std::size_t n = 0;                          // runs in the piece
    Label keys[piece_size + slack] = {};        // the label of each run; the tail is only ever prefetched
    std::uint32_t last[piece_size + slack];     // index of the last item of each run, after locate()

    void split(const Label* labels, std::size_t n_labels) {
        n_labels_ = n_labels;
        n = split_(labels, n_labels, keys, ends_);
    }

    // Also end runs where those of another array end; the keys no longer belong to the runs then.
    void unite(const std::uint8_t* ends) {
        n = 0;
        std::size_t byte = 0;
        for (; (byte + 8) * 8 <= n_labels_; byte += 8) {
            std::uint64_t ours, others;
            std::memcpy(&ours, ends_ + byte, 8);
            std::memcpy(&others, ends + byte, 8);
            ours |= others;
            std::memcpy(ends_ + byte, &ours, 8);
            n += static_cast<std::size_t>(std::popcount(ours));
        }
        for (; byte * 8 < n_labels_; ++byte) {
            ends_[byte] |= ends[byte];
            n += static_cast<std::size_t>(std::popcount(ends_[byte]));
        }
    }

    void locate() { positions_(ends_, n_labels_, last); }

    std::size_t first_of(std::size_t run) const { return run == 0 ? 0 : last[run - 1] + std::size_t{1}; }
    std::size_t length_of(std::size_t run) const { return last[run] + std::size_t{1} - first_of(run); }

    const std::uint8_t* ends() const { return ends_; }

   private:
    std::size_t n_labels_ = 0;
    std::uint8_t ends_[piece_size / 8 + slack];
    std::size_t (*split_)(const Label*, std::size_t, Label*, std::uint8_t*) = FASTREMAP_CHOOSE(split<Label>);
    void (*positions_)(const std::uint8_t*, std::size_t, std::uint32_t*) = FASTREMAP_CHOOSE(positions);
};

// The values of the runs of a piece, and writing them over the runs. The labels may be overwritten meanwhile.
template <class Out>
class RunValues {
   public:
    value_of<Out> values[piece_size + slack];

    template <class Label>
    void fill(const Runs<Label>& runs, std::size_t n_labels, Out* out) const {
        if (runs.n == n_labels) {
            std::copy(values, values + n_labels, out);
        } else {
            fill_(runs.ends(), n_labels, values, out);
        }
    }

   private:
    void (*fill_)(const std::uint8_t*, std::size_t, const value_of<Out>*, Out*) = FASTREMAP_CHOOSE(fill<Out>);
};

// Calls action(offset, length) for consecutive pieces of [begin, n) until it returns false.
// Returns the offset of the piece that stopped it, or n.
template <class Action>
std::size_t for_each_piece(std::size_t begin, std::size_t n, Action&& action) {
    for (std::size_t offset = begin; offset < n; offset += piece_size) {
        if (!action(offset, std::min(piece_size, n - offset))) return offset;
    }
    return n;
}

}  // namespace fastremap
