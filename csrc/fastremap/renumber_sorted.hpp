// New ids in the order of first appearance, by sorting: for arrays in which nearly every item is a label of its own.
//
// What:       NumberingBySort writes what Numbering of renumber.hpp writes, without a table, whose slots would be as
//             many cache misses.
// Requires:   fewer items than NumberingBySort::max_items.
// Complexity: O(n) for labels that are spread evenly; 12 bytes an item of 8 bytes, 8 of a shorter one, and a quarter.
// Source:     own; of equal labels the sort leaves the first in front, and ids follow one another where no label
//             comes again.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "memory.hpp"
#include "order.hpp"

namespace fastremap {

template <class Label>
class NumberingBySort {
   public:
    static constexpr std::size_t max_items = std::numeric_limits<std::uint32_t>::max();

    NumberingBySort(bool keep_zero, char kind) : keep_zero_(keep_zero), kind_(kind) {}

    // As Numbering::run, but all items are written or none.
    template <class Out>
    std::size_t run(const Label* labels, std::size_t begin, std::size_t n_labels, Out* out, Label* also,
                    std::uint64_t first_id, std::size_t max_labels) {
        if (words_.size() == 0) number(labels, n_labels);
        if (n_found_ > max_labels) return begin;
        const std::uint64_t shift = first_id - (keep_zero_ ? 1 : 0);
        if (also) write(also, n_labels, shift);
        if (static_cast<const void*>(out) != also) write(out, n_labels, shift);
        return n_labels;
    }

    std::size_t size() const { return n_found_; }

    // Calls act(label, number) for all labels, in any order, or ascending.
    template <class Act>
    void for_each(Act&& act) const {
        for_each_sorted(act);
    }
    template <class Act>
    void for_each_sorted(Act&& act) const {
        for_each_group([&](std::size_t begin, std::size_t) {
            const Label label = placed_[begin].label;
            act(label, is_kept(label) ? 0 : number_of(placed_[begin].place));
        });
    }

   private:
    static constexpr std::size_t block_words = 64, block_size = 64 * block_words;

    // Which of 64 items are the first of their label, and how many numbers are given before these.
    struct Word {
        std::uint64_t are_first;
        std::uint64_t n_before;
    };

    void number(const Label* labels, std::size_t n_labels) {
        // With a 0 behind the last item, where that counts as a label in any case.
        const auto label_at = [=](std::size_t i) { return i < n_labels ? labels[i] : Label{0}; };
        placed_ = sort_with_places<Label, std::uint32_t>(label_at, n_labels + keep_zero_, kind_);
        words_ = ZeroedArray<Word>(n_labels / 64 + 1);
        for (std::size_t at = 0; at < words_.size(); ++at) words_[at].are_first = ~std::uint64_t{0};
        words_[n_labels / 64].are_first = (std::uint64_t{1} << n_labels % 64) - 1;
        for_each_group([&](std::size_t begin, std::size_t end) {
            for (std::size_t at = begin + !is_kept(placed_[begin].label); at < end; ++at)
                words_[placed_[at].place / 64].are_first &= ~(std::uint64_t{1} << placed_[at].place % 64);
        });
        n_found_ = keep_zero_;
        for (std::size_t at = 0; at < words_.size(); ++at) {
            if (at % block_words == 0) n_before_block_.push_back(n_found_);
            words_[at].n_before = n_found_;
            n_found_ += static_cast<std::size_t>(std::popcount(words_[at].are_first));
        }
        n_before_block_.push_back(n_found_);
    }

    // First the ids of the items that are first of their label, as if all were, and then of the others.
    template <class Out>
    void write(Out* out, std::size_t n_labels, std::uint64_t shift) const {
        for (std::size_t at = 0; at * 64 < n_labels; ++at) {
            const auto [are_first, n_before] = words_[at];
            const std::size_t n = std::min<std::size_t>(64, n_labels - at * 64);
            provide(out, n_labels, at * 64, at * 64 + n);
            auto id = static_cast<Out>(n_before + shift);
            if (are_first == ~std::uint64_t{0}) {
                for (std::size_t i = 0; i < 64; ++i) out[at * 64 + i] = static_cast<Out>(id + i);
            } else {
                for (std::size_t i = 0; i < n; ++i) {
                    out[at * 64 + i] = id;
                    id = static_cast<Out>(id + (are_first >> i & 1));
                }
            }
        }
        if (n_found_ == placed_.size()) return;  // no label comes again
        for_each_group([&](std::size_t begin, std::size_t end) {
            const bool is_zero = is_kept(placed_[begin].label);
            if (end - begin == 1 && !is_zero) return;
            const auto id = static_cast<Out>(is_zero ? 0 : number_of(placed_[begin].place) + shift);
            for (std::size_t at = begin; at < end; ++at)
                if (placed_[at].place < n_labels) out[placed_[at].place] = id;
        });
    }

    // Calls act(begin, end) for the items of each label.
    template <class Act>
    void for_each_group(Act&& act) const {
        for (std::size_t begin = 0, end; begin < placed_.size(); begin = end) {
            const Label label = placed_[begin].label;
            end = begin + 1;
            while (end < placed_.size() && placed_[end].label == label) ++end;
            act(begin, end);
        }
    }

    bool is_kept(Label label) const { return keep_zero_ && label == 0; }

    std::uint64_t number_of(std::uint32_t place) const {
        // Most blocks have no label that comes again, and the table of blocks stays in near caches.
        const std::uint64_t* const block = &n_before_block_[place / block_size];
        if (block[1] - block[0] == block_size) return block[0] + place % block_size;
        const Word& word = words_[place / 64];
        const std::uint64_t before = word.are_first & ((std::uint64_t{1} << place % 64) - 1);
        return word.n_before + static_cast<std::uint64_t>(std::popcount(before));
    }

    bool keep_zero_;
    char kind_;
    std::size_t n_found_ = 0;
    ZeroedArray<Placed<Label, std::uint32_t>> placed_;
    ZeroedArray<Word> words_;
    std::vector<std::uint64_t> n_before_block_;
};

}  // namespace fastremap
