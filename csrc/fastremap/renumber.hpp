// New ids in the order of first appearance in memory, written while the labels are read.
//
// What:       run() writes the new id of every label, until the ids no longer fit; then the caller widens what is
//             written and goes on from there.
// Requires:   a contiguous array; `out` of the same length and fresh, or the array itself where the widths are equal.
// Complexity: O(n) expected; about 32 bytes a distinct label, and densely up to 4 for each label of the range.
// Source:     own; find-or-insert per run, or for each item in a direct table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "choice.hpp"
#include "dense.hpp"
#include "runs.hpp"
#include "unique.hpp"

namespace fastremap {

template <class Label>
class Numbering {
   public:
    // `keep_zero`: 0 stays 0, and the other labels count from id 1 on.
    Numbering(bool keep_zero, const Choice& choice)
        : keep_zero_(keep_zero),
          lowest_(static_cast<Label>(choice.lowest)),
          n_keys_(choice.strategy == Strategy::dense ? choice.n_keys : 0) {
        if (keep_zero) ids_.id_for(Label{0});
    }

    // The new id of the label with number k is first_id + k (k - 1 with keep_zero, which skips the zero), modulo
    // the width of Out. Stops in front of the piece with which there would be more than max_labels labels.
    // Returns the number of items written. Unless it is null, `also` is the array itself, which gets the ids too.
    template <class Out>
    std::size_t run(const Label* labels, std::size_t begin, std::size_t n_labels, Out* out, Label* also,
                    std::uint64_t first_id, std::size_t max_labels) {
        const std::uint64_t shift = first_id - (keep_zero_ ? 1 : 0);
        const bool is_fresh = static_cast<const void*>(out) != labels;
        const auto write = [&](auto&& number_piece, auto&& write_piece) {
            return for_each_piece(begin, n_labels, [&](std::size_t offset, std::size_t length) {
                number_piece(labels + offset, length);
                if (ids_.labels.size() > max_labels) return false;
                if (is_fresh) provide(out, n_labels, offset, offset + length);
                write_piece(out + offset, length);
                if (also) FASTREMAP_CHOOSE(convert(out + offset, length, also + offset));
                return true;
            });
        };
        if (n_keys_) {
            Dense<Out> dense(*this);
            Out new_ids[piece_size];
            return write([&](const Label* piece, std::size_t n) { dense.number(piece, n, shift, new_ids); },
                         [&](Out* to, std::size_t n) { std::copy(new_ids, new_ids + n, to); });
        }
        Runs<Label> runs;
        RunValues<Out> new_ids;
        return write(
            [&](const Label* piece, std::size_t n) {
                runs.split(piece, n);
                id_of<Label> number_of_run[piece_size];
                ids_.ids_for(runs, number_of_run);
                using Id = value_of<Out>;
                FASTREMAP_CHOOSE(ids_of(number_of_run, runs.n, static_cast<Id>(shift), id_of<Label>{0},
                                        new_id<Id>(0, shift), new_ids.values));
            },
            [&](Out* to, std::size_t n) { new_ids.fill(runs, n, to); });
    }

    std::size_t size() const { return ids_.labels.size(); }

    // The labels by number. No other call may follow.
    const Label* labels() {
        labels_ = std::exchange(ids_, {}).labels;  // without the table
        return labels_.data();
    }

   private:

    template <class Id>
    Id new_id(std::uint64_t number, std::uint64_t shift) const {
        return static_cast<Id>(keep_zero_ && number == 0 ? 0 : number + shift);
    }

    // A direct table of numbers for one width of ids; as narrow as can be, so that more of it stays in near caches.
    template <class Out>
    class Dense {
       public:
        explicit Dense(Numbering& all) : all_(all), number_of_(all.n_keys_) {
            for (std::size_t number = 0; number < all.ids_.labels.size(); ++number) note(all.ids_.labels[number], number);
        }

        // In three loops, of which the last is rarely run: look all numbers up, make ids of them, and number new
        // labels.
        void number(const Label* labels, std::size_t n, std::uint64_t shift, Out* new_ids) {
            Number numbers[piece_size];
            const Number* const number_of = number_of_.begin();
            const std::size_t n_keys = number_of_.size();
            const Label lowest = all_.lowest_;
            if (!any_beyond(labels, n, lowest, n_keys)) {
                for_each_place(labels, n, lowest, [&numbers, number_of](std::size_t i, Label at) {
                    numbers[i] = number_of[at];
                });
            } else {
                for_each_place(labels, n, lowest, [&, number_of](std::size_t i, Label at) {
                    numbers[i] = at < n_keys ? number_of[at] : Number{0};
                });
            }
            const bool any_new = FASTREMAP_CHOOSE(ids_of(numbers, n, static_cast<Out>(shift - 1), Number{1},
                                                         all_.template new_id<Out>(0, shift), new_ids));
            for (std::size_t i = 0; any_new && i < n; ++i)
                if (numbers[i] == 0) new_ids[i] = all_.template new_id<Out>(number_at_first(labels[i]), shift);
        }

       private:
        using Number = std::conditional_t<(sizeof(Label) <= 2), std::uint16_t,
                                          std::conditional_t<sizeof(Out) == 8, std::uint32_t, Out>>;

        // What is too great for the table is looked up each time.
        void note(Label label, std::uint64_t number) {
            const auto at = static_cast<Label>(label - all_.lowest_);
            if (at < number_of_.size() && number < std::numeric_limits<Number>::max())
                number_of_[at] = static_cast<Number>(number + 1);
        }

        [[gnu::noinline]] std::uint64_t number_at_first(Label label) {
            const std::uint64_t number = all_.ids_.id_for(label);
            note(label, number);
            return number;
        }

        Numbering& all_;
        ZeroedArray<Number> number_of_;  // and 1, so that 0 is none
    };

    LabelIds<Label> ids_;
    bool keep_zero_;
    Label lowest_;
    std::size_t n_keys_;  // that have a place each; 0 by runs
    std::vector<Label> labels_;
};

}  // namespace fastremap
