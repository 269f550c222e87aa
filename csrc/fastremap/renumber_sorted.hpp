// New ids in the order of first appearance, by sorting: for arrays in which nearly every item is a label of its own.
//
// What:       NumberingBySort writes what Numbering of renumber.hpp writes, without a table, whose slots would be as
//             many cache misses.
// Requires:   fewer items than NumberingBySort::max_items.
// Complexity: O(n) for labels that are spread evenly; a label and 4 bytes an item, which become the table, and a quarter
//             of a byte.
// Source:     own; of equal labels the sort leaves the first in front, and ids follow one another where no label
//             comes again.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "isa.hpp"
#include "measure.hpp"
#include "memory.hpp"
#include "order.hpp"
#include "sorted_labels.hpp"

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
        if (words_.size() == 0) sort_and_number(labels, n_labels);
        if (n_found_ > max_labels) return begin;
        const std::uint64_t shift = first_id - (keep_zero_ ? 1 : 0);
        if (also) write(also, n_labels, shift);
        if (static_cast<const void*>(out) != also) write(out, n_labels, shift);
        return n_labels;
    }

    std::size_t size() const { return n_found_; }

    // Writes the labels by number.
    void copy_labels(Label* out) const {
        for_each_group([&](std::size_t begin, std::size_t) { out[number_of_group(begin)] = labels_[begin]; });
    }

    // The distinct labels, ascending, and their numbers, in place of what was sorted. No other call may follow.
    SortedLabels sorted() {
        if (n_found_ == places_.size()) {  // no label comes again
            const auto n_before = static_cast<std::uint32_t>(keep_zero_);
            const auto behind = static_cast<std::uint32_t>(places_.size()) - n_before;  // where the 0 that is kept lay
            std::uint32_t* const numbers = &places_[0];
            for (std::size_t at = 0; at < n_found_; ++at)
                numbers[at] = numbers[at] == behind ? 0 : numbers[at] + n_before;
        } else {
            std::size_t n = 0;
            for_each_group([&](std::size_t begin, std::size_t) {
                const auto number = static_cast<std::uint32_t>(number_of_group(begin));
                labels_[n] = labels_[begin], places_[n] = number;
                ++n;
            });
        }
        if (n_found_ < places_.size() / 2) {  // fewer than the sample told: the table must not hold on to the rest
            labels_ = front_of(labels_);
            places_ = front_of(places_);
        }
        words_ = {};
        return {&labels_[0], &places_[0], sizeof(std::uint32_t), n_found_};
    }

   private:
    template <class Item>
    ZeroedArray<Item> front_of(const ZeroedArray<Item>& items) const {
        ZeroedArray<Item> front(n_found_);
        std::copy_n(items.begin(), n_found_, &front[0]);
        return front;
    }

    static constexpr std::size_t block_words = 64, block_size = 64 * block_words;

    // Which of 64 items are the first of their label, and how many numbers are given before these.
    struct Word {
        std::uint64_t are_first;
        std::uint64_t n_before;
    };

    void sort_and_number(const Label* labels, std::size_t n_labels) {
        // With a 0 behind the last item, where that counts as a label in any case.
        const auto label_at = [=](std::size_t i) { return i < n_labels ? labels[i] : Label{0}; };
        const std::size_t n_sorted = n_labels + keep_zero_;
        labels_ = ZeroedArray<Label>(n_sorted), places_ = ZeroedArray<std::uint32_t>(n_sorted);
        words_ = ZeroedArray<Word>(n_labels / 64 + 1);
        if (n_sorted > 0) sort_with_places(label_at, n_sorted, kind_, &labels_[0], &places_[0]);
        for (std::size_t at = 0; at < words_.size(); ++at) words_[at].are_first = ~std::uint64_t{0};
        words_[n_labels / 64].are_first = (std::uint64_t{1} << n_labels % 64) - 1;
        if (FASTREMAP_CHOOSE(count_equal_pairs(labels_.begin(), n_sorted)) > 0) {
            for_each_group([&](std::size_t begin, std::size_t end) {
                for (std::size_t at = begin + !is_kept(labels_[begin]); at < end; ++at)
                    words_[places_[at] / 64].are_first &= ~(std::uint64_t{1} << places_[at] % 64);
            });
        }
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
        if (n_found_ == places_.size()) return;  // no label comes again
        for_each_group([&](std::size_t begin, std::size_t end) {
            const bool is_zero = is_kept(labels_[begin]);
            if (end - begin == 1 && !is_zero) return;
            const auto id = static_cast<Out>(is_zero ? 0 : number_of(places_[begin]) + shift);
            for (std::size_t at = begin; at < end; ++at)
                if (places_[at] < n_labels) out[places_[at]] = id;
        });
    }

    // Calls act(begin, end) for the items of each label.
    template <class Act>
    void for_each_group(Act&& act) const {
        for (std::size_t begin = 0, end; begin < labels_.size(); begin = end) {
            const Label label = labels_[begin];
            end = begin + 1;
            while (end < labels_.size() && labels_[end] == label) ++end;
            act(begin, end);
        }
    }

    std::uint64_t number_of_group(std::size_t begin) const {
        return is_kept(labels_[begin]) ? 0 : number_of(places_[begin]);
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
    ZeroedArray<Label> labels_;  // of all items, ascending
    ZeroedArray<std::uint32_t> places_;
    ZeroedArray<Word> words_;
    std::vector<std::uint64_t> n_before_block_;
};

}  // namespace fastremap
