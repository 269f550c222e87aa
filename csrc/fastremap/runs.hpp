// Label images are runs of equal neighbours, and every label kernel walks runs.
//
// What:       cuts an array into pieces and each piece into its runs, and writes a value over each run, without a
//             branch that depends on the data.
// Requires:   a contiguous array.
// Complexity: O(n); one Runs buffer on the stack (about 21 KB for 8-byte labels).
// Source:     own; mispredicted branches at run ends are what a plain run loop spends most of its time on.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "isa.hpp"
#include "memory.hpp"

namespace fastremap {

// Small enough for the buffers of a piece to stay in the first-level cache.
inline constexpr std::size_t piece_size = 2048;

// Vector code stores whole registers, of which only the first items count.
inline constexpr std::size_t slack = 64;

// The buffer type of the values of runs: narrow results are cut down only when they are written.
template <class Out>
using value_of = std::conditional_t<sizeof(Out) == 8, std::uint64_t, std::uint32_t>;

// Each of the four steps exists once for every instruction set:
//   mark:      labels -> one bit per item that is the last of its run. Meanwhile labels of later pieces come near where
//              that is faster in a loop that reads in order.
//   positions: bits -> the index after the last item of each run; returns the runs. Elsewhere this is where labels of
//              later pieces come near, but those of 8 bytes, for which memory has no rest anyhow: they would come later.
//   pick:      bits -> the labels of the runs, where most items are runs of their own
//   fill:      bits, a value per run -> a value per item
// The bit of item i is bit i % 8 of byte i / 8. The last item of a piece always ends a run. Bits are read in words of
// eight bytes, of which the last has been cleared.
namespace scalar {

template <class Label>
void mark_from(std::size_t i, const Label* labels, std::size_t n, std::uint8_t* ends) {
    while (i < n) {  // i is a multiple of 8
        std::uint8_t byte = 0;
        const std::size_t stop = std::min(i + 8, n);
        for (std::size_t bit = 0; i < stop; ++i, ++bit)
            byte = static_cast<std::uint8_t>(byte | ((i + 1 == n || labels[i] != labels[i + 1]) << bit));
        ends[(stop - 1) / 8] = byte;
    }
}

template <class Label>
void mark(const Label* labels, std::size_t n, std::uint8_t* ends) {
    mark_from(std::size_t{0}, labels, n, ends);
}

template <class Label>
std::size_t positions(const std::uint8_t* ends, std::size_t n, std::uint16_t* stops, const Label* labels) {
    const bool ahead = sizeof(Label) < 8 && !prefetches_in_order();
    std::size_t run = 0;
    for (std::size_t i = 0; i < n; i += 64) {
        if (ahead) prefetch_ahead<64>(labels + i);
        std::uint64_t word = 0;
        for (std::size_t byte = 8; byte-- > 0;) word = word << 8 | ends[i / 8 + byte];
        for (; word; word &= word - 1)
            stops[run++] = static_cast<std::uint16_t>(i + static_cast<std::size_t>(std::countr_zero(word)) + 1);
    }
    return run;
}

template <class Label>
void pick_from(std::size_t i, std::size_t run, const Label* labels, const std::uint8_t* ends, std::size_t n,
               Label* keys) {
    for (; i < n; ++i) {
        keys[run] = labels[i];
        run += ends[i / 8] >> i % 8 & 1;
    }
}

template <class Label>
void pick(const Label* labels, const std::uint8_t* ends, std::size_t n, Label* keys) {
    pick_from(std::size_t{0}, std::size_t{0}, labels, ends, n, keys);
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
    std::size_t n = 0;               // runs in the piece
    Label keys[piece_size + slack];  // the label of each run, and zeros, which are only ever prefetched

    Runs() { bounds_[0] = 0; }

    void split(const Label* labels, std::size_t n_labels) {
        mark(labels, n_labels);
        split_where_marked(labels, n_labels);
    }

    // The runs of the places where both arrays have one label throughout; the keys are those of this array.
    template <class Other>
    void split_jointly(const Label* labels, Runs<Other>& other, const Other* other_labels, std::size_t n_labels) {
        mark(labels, n_labels);
        other.mark(other_labels, n_labels);
        const std::uint8_t* const other_ends = other.ends();
        const bool ahead = sizeof(Other) < 8 && !prefetches_in_order();
        for (std::size_t i = 0; i < n_labels; i += 64) {
            if (ahead) prefetch_ahead<64>(other_labels + i);
            for (std::size_t byte = i / 8; byte < i / 8 + 8; ++byte) ends_[byte] |= other_ends[byte];
        }
        split_where_marked(labels, n_labels);
    }

    // Where a run begins, which is where the one before it stops.
    std::size_t first_of(std::size_t run) const { return bounds_[run]; }
    std::size_t stop_of(std::size_t run) const { return bounds_[run + 1]; }
    std::size_t length_of(std::size_t run) const { return stop_of(run) - first_of(run); }

    // How many of the keys there are to look up: where there are but two labels, they take turns.
    std::size_t n_keys() const {
        return n > 2 && std::memcmp(keys, keys + 2, (n - 2) * sizeof(Label)) == 0 ? 2 : n;
    }

    // Makes two runs of those of two labels that take turns, for who wants lengths alone.
    void join() {
        if (n_keys() == n) return;
        std::size_t n_of_first = 0;
        for (std::size_t run = 0; run < n; run += 2) n_of_first += length_of(run);
        bounds_[1] = static_cast<std::uint16_t>(n_of_first);
        bounds_[2] = static_cast<std::uint16_t>(n_labels_);
        n = 2;
    }

    void mark(const Label* labels, std::size_t n_labels) {
        n_labels_ = n_labels;
        std::memset(ends_ + (n_labels - 1) / 64 * 8, 0, 8);
        mark_(labels, n_labels, ends_);
    }

    const std::uint8_t* ends() const { return ends_; }

   private:
    void split_where_marked(const Label* labels, std::size_t n_labels) {
        n = positions_(ends_, n_labels, bounds_ + 1, labels);
        const std::size_t n_runs = n;  // in a register, whatever the keys may alias
        if (2 * n_runs > n_labels) {
            pick_(labels, ends_, n_labels, keys);
        } else {
            for (std::size_t run = 0; run < n_runs; ++run) keys[run] = labels[stop_of(run) - 1];
        }
        std::fill_n(keys + n_runs, slack, Label{0});
    }

    std::size_t n_labels_ = 0;
    std::uint8_t ends_[piece_size / 8 + slack];
    std::uint16_t bounds_[1 + piece_size + slack];  // begins with 0; then where each run stops
    void (*mark_)(const Label*, std::size_t, std::uint8_t*) = FASTREMAP_CHOOSE(mark<Label>);
    std::size_t (*positions_)(const std::uint8_t*, std::size_t, std::uint16_t*, const Label*) =
        FASTREMAP_CHOOSE(positions<Label>);
    void (*pick_)(const Label*, const std::uint8_t*, std::size_t, Label*) = FASTREMAP_CHOOSE(pick<Label>);
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
        } else if (runs.n == 1) {
            std::fill(out, out + n_labels, static_cast<Out>(values[0]));
        } else {
            fill_(runs.ends(), n_labels, values, out);
        }
    }

   private:
    void (*fill_)(const std::uint8_t*, std::size_t, const value_of<Out>*, Out*) = FASTREMAP_CHOOSE(fill<Out>);
};

// Repeats the first n_known values, which are all or two that take turns.
template <class Value>
void repeat(Value* values, std::size_t n_known, std::size_t n) {
    const Value first = values[0], second = values[1];
    for (std::size_t i = n_known; i + 1 < n; i += 2) values[i] = first, values[i + 1] = second;
    if (n_known < n && n % 2) values[n - 1] = first;
}

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
