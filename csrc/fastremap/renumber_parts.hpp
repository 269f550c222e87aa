// New ids in the order of first appearance, by parts: for arrays in which nearly every item is a label of its own.
//
// What:       NumberingByParts writes what Numbering of renumber.hpp writes, without a table of all labels, whose slots
//             would be as many cache misses.
// Requires:   fewer items than NumberingByParts::max_items.
// Complexity: O(n) expected; 8 bytes an item, then a quarter of a byte, 8 bytes for each item whose label was met before,
//             and the labels, which stay.
// Source:     partitioned hash join: Manegold, Boncz, Kersten, Optimizing Main-Memory Join on Modern Hardware, TKDE 2002;
//             ids follow one another where no label comes again.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "memory.hpp"
#include "order.hpp"
#include "partition.hpp"

namespace fastremap {

template <class Label>
class NumberingByParts {
   public:
    static constexpr std::size_t max_items = std::numeric_limits<std::uint32_t>::max();

    explicit NumberingByParts(bool keep_zero) : keep_zero_(keep_zero) {}

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

    // The labels by number. No other call may follow.
    const Label* labels() {
        words_ = {};
        repeated_ = {};
        return labels_.begin();
    }

   private:
    using Place = std::uint32_t;
    static constexpr Place nowhere = std::numeric_limits<Place>::max();
    static constexpr std::size_t block_words = 64, block_size = 64 * block_words;
    // A part and its table lie in the second-level cache; and the next lines of so many parts do, too.
    static constexpr std::size_t part_size = std::size_t{1} << 14, most_parts = 2500;

    // Which of 64 items are the first of their label, and how many numbers are given before these.
    struct Word {
        std::uint64_t are_first;
        std::uint64_t n_before;
    };

    struct Repeated {
        Place place, first;
    };

    // An item: bits of its label's hash, or the label itself where that has no more, and its place in the array.
    using Mark = std::uint64_t;
    static constexpr bool is_label = sizeof(Label) <= 4;
    static Mark mark_of(Label label, Place place) {
        return (is_label ? std::uint64_t{label} : mix(label)) << 32 | place;
    }
    static std::uint32_t hash_of(Mark mark) { return static_cast<std::uint32_t>(mark >> 32); }
    static Place place_of(Mark mark) { return static_cast<Place>(mark); }

    // Finds items whose label was met before. Of the items that have a slot of a table in common only the first is kept
    // there; the others are compared with that one, and those of another label try other slots. No pass has a branch
    // that is hard to predict, and no slot needs to be cleared, since each one that is read was written just before.
    class PartTable {
       public:
        explicit PartTable(std::size_t n_expected) : n_bits_(static_cast<unsigned>(std::bit_width(4 * n_expected))) {
            slots_ = ZeroedArray<Place>(std::size_t{1} << n_bits_);
        }

        // Of n items, which include all of their labels, in the order in which they lie in the array.
        void find_repeated(const Label* labels, const Mark* marks, std::size_t n, std::vector<Repeated>& repeated) {
            if (n == 0) return;
            if (left_.size() < n) left_ = ZeroedArray<Place>(n + n / 4);
            Place* const left = &left_[0];
            std::size_t n_left = without_slot(marks, n, [](std::size_t at) { return static_cast<Place>(at); }, left);
            for (unsigned round = 1; n_left > 0; ++round) {
                std::size_t n_others = 0;
                for (std::size_t at = 0; at < n_left; ++at) {
                    const Place i = left[at], first = slots_[slot_of()(marks[i])];
                    const Place place = place_of(marks[i]), first_place = place_of(marks[first]);
                    const bool is_alike = hash_of(marks[i]) == hash_of(marks[first]);
                    if (is_alike && (is_label || labels[place] == labels[first_place]))
                        repeated.push_back({place, first_place});
                    else
                        left[n_others++] = i;
                }
                if (round == most_rounds) return find_by_sort(labels, marks, n_others, repeated);
                multiplier_ *= 747796405u;
                n_left = without_slot(marks, n_others, [left](std::size_t at) { return left[at]; }, left);
            }
        }

       private:
        static constexpr unsigned most_rounds = 8;  // after which there are such labels as are made to collide

        // By value: what is behind `this` would be read anew after each write.
        auto slot_of() const {
            return [multiplier = multiplier_, shift = 32 - n_bits_](Mark mark) {
                return hash_of(mark) * multiplier >> shift;
            };
        }

        // Gives each slot to the first of the n items that have it in common, which are i_at(0), ..., i_at(n - 1).
        // Writes those that have none, and returns how many.
        template <class IndexAt>
        std::size_t without_slot(const Mark* marks, std::size_t n, const IndexAt& i_at, Place* left) {
            Place* const slots = &slots_[0];
            const auto slot_of = this->slot_of();
            for (std::size_t at = n; at-- > 0;) slots[slot_of(marks[i_at(at)])] = i_at(at);
            std::size_t n_left = 0;
            for (std::size_t at = 0; at < n; ++at) {
                const Place i = i_at(at);
                left[n_left] = i;
                n_left += slots[slot_of(marks[i])] != i;
            }
            return n_left;
        }

        void find_by_sort(const Label* labels, const Mark* marks, std::size_t n, std::vector<Repeated>& repeated) const {
            ZeroedArray<Label> sorted(n);
            ZeroedArray<Place> order(n);
            const auto place_at = [=, left = left_.begin()](std::size_t at) { return place_of(marks[left[at]]); };
            sort_with_places([=](std::size_t at) { return labels[place_at(at)]; }, n, 'u', &sorted[0], &order[0]);
            for (std::size_t at = 1, first = 0; at < n; ++at) {
                if (sorted[at] != sorted[first])
                    first = at;
                else
                    repeated.push_back({place_at(order[at]), place_at(order[first])});
            }
        }

        unsigned n_bits_;
        std::uint32_t multiplier_ = 0x9E3779B9u;
        ZeroedArray<Place> slots_, left_;
    };

    // A one-to-one mixture of the bits of a label.
    static std::uint64_t mix(Label label) {
        const std::uint64_t mixed = static_cast<std::uint64_t>(label) * 0x9E3779B97F4A7C15u;
        return (mixed ^ mixed >> 32) * 0xC2B2AE3D27D4EB4Fu;
    }

    void number(const Label* labels, std::size_t n_labels) {
        words_ = ZeroedArray<Word>(n_labels / 64 + 1);
        for (std::size_t at = 0; at < words_.size(); ++at) words_[at].are_first = ~std::uint64_t{0};
        words_[n_labels / 64].are_first = (std::uint64_t{1} << n_labels % 64) - 1;
        ZeroedArray<Mark> marks = find_repeated(labels, n_labels);
        for (const Repeated& item : repeated_) words_[item.place / 64].are_first &= ~(std::uint64_t{1} << item.place % 64);
        n_found_ = keep_zero_;
        for (std::size_t at = 0; at < words_.size(); ++at) {
            if (at % block_words == 0) n_before_block_.push_back(n_found_);
            words_[at].n_before = n_found_;
            n_found_ += static_cast<std::size_t>(std::popcount(words_[at].are_first));
        }
        n_before_block_.push_back(n_found_);
        if constexpr (std::is_same_v<Label, Mark>) {
            if (n_found_ > n_labels / 2) labels_ = std::move(marks);
        }
        if (labels_.size() == 0) labels_ = ZeroedArray<Label>(n_found_);
        copy_first(labels, n_labels);
    }

    // By parts, in each of which items lie in the order of the array. Returns the memory of these.
    ZeroedArray<Mark> find_repeated(const Label* labels, std::size_t n_labels) {
        const std::size_t n_parts = std::clamp<std::size_t>(n_labels / part_size, 1, most_parts);
        const auto part_of = [n_parts](Label label) {
            return static_cast<std::size_t>((mix(label) >> 32) * n_parts >> 32);
        };
        const auto part_at = [=](std::size_t i) { return part_of(labels[i]); };
        const auto mark_at = [=](std::size_t i) { return mark_of(labels[i], static_cast<Place>(i)); };
        const std::vector<std::size_t> begins = begins_of_parts(n_labels, part_at, n_parts);
        ZeroedArray<Mark> marks(n_labels + 1);
        const std::vector<std::size_t> ends = partition(n_labels, mark_at, part_at, OneArray<Mark>(&marks[0]), begins);
        PartTable table(n_labels / n_parts);
        for (std::size_t part = 0; part < n_parts; ++part)
            table.find_repeated(labels, marks.begin() + begins[part], ends[part] - begins[part], repeated_);
        // The first 0 that is kept is no new label either: it has number 0, whether or not it occurs.
        const std::size_t part_of_zero = part_of(0);
        const auto is_zero = [=](Mark mark) {
            return hash_of(mark) == hash_of(mark_of(0, 0)) && labels[place_of(mark)] == 0;
        };
        const Mark* const end = marks.begin() + ends[part_of_zero];
        const Mark* const zero = std::find_if(marks.begin() + begins[part_of_zero], end, is_zero);
        if (keep_zero_ && zero != end) {
            zero_ = place_of(*zero);
            repeated_.push_back({zero_, zero_});
        }
        return marks;
    }

    // Keeps those that are first of their label.
    void copy_first(const Label* labels, std::size_t n_labels) {
        std::size_t n = 0;
        if (keep_zero_) labels_[n++] = 0;
        for (std::size_t at = 0; at * 64 < n_labels; ++at) {
            const Label* const from = labels + at * 64;
            std::uint64_t are_first = words_[at].are_first;
            if (are_first == ~std::uint64_t{0}) {
                std::memcpy(&labels_[n], from, 64 * sizeof(Label));
                n += 64;
            } else {
                for (; are_first; are_first &= are_first - 1) labels_[n++] = from[std::countr_zero(are_first)];
            }
        }
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
        for (const auto& [place, first] : repeated_)
            out[place] = static_cast<Out>(first == zero_ ? 0 : number_of(first) + shift);
    }

    std::uint64_t number_of(Place place) const {
        // Most blocks have no label that comes again, and the table of blocks stays in near caches.
        const std::uint64_t* const block = &n_before_block_[place / block_size];
        if (block[1] - block[0] == block_size) return block[0] + place % block_size;
        const Word& word = words_[place / 64];
        const std::uint64_t before = word.are_first & ((std::uint64_t{1} << place % 64) - 1);
        return word.n_before + static_cast<std::uint64_t>(std::popcount(before));
    }

    bool keep_zero_;
    std::size_t n_found_ = 0;
    Place zero_ = nowhere;         // of the first 0 that is kept
    ZeroedArray<Label> labels_;    // by number
    ZeroedArray<Word> words_;
    std::vector<Repeated> repeated_;  // items whose label was met before, or is a 0 that is kept
    std::vector<std::uint64_t> n_before_block_;
};

}  // namespace fastremap
