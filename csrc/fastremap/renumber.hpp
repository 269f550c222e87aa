// New ids in the order of first appearance in memory, written while the labels are read.
//
// What:       run() writes the new id of every label, until the ids no longer fit; then the caller widens what is
//             written and goes on from there.
// Requires:   a contiguous array; `out` of the same length, or the array itself where the widths are equal.
// Complexity: O(n) expected; about 32 bytes a distinct label, and densely 4 for each label of the range.
// Source:     own; find-or-insert per run, or for each item in a direct table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "choice.hpp"
#include "dense.hpp"
#include "runs.hpp"
#include "unique.hpp"

namespace fastremap {

template <class Label>
struct Numbering {
    LabelIds<Label> ids;

    // `keep_zero`: 0 stays 0, and the other labels count from id 1 on.
    Numbering(bool keep_zero, const Choice& choice)
        : keep_zero_(keep_zero),
          lowest_(static_cast<Label>(choice.lowest)),
          number_of_(choice.strategy == Strategy::dense ? choice.n_keys : 0) {
        if (keep_zero) ids.id_for(Label{0});
    }

    // The new id of the label with number k is first_id + k (k - 1 with keep_zero, which skips the zero), modulo
    // the width of Out. Stops in front of the piece with which there would be more than max_labels labels.
    // Returns the number of items written. Unless it is null, `also` is the array itself, which gets the ids too.
    template <class Out>
    std::size_t run(const Label* labels, std::size_t begin, std::size_t n_labels, Out* out, Label* also,
                    std::uint64_t first_id, std::size_t max_labels) {
        Runs<Label> runs;
        RunValues<Out> new_ids;
        RunValues<Label> wide_ids;
        using Id = value_of<Out>;
        const auto shift = static_cast<Id>(first_id - (keep_zero_ ? 1 : 0));
        const auto new_id = [shift, keep_zero = keep_zero_](Id number) {
            return keep_zero && number == 0 ? Id{0} : static_cast<Id>(number + shift);
        };
        return for_each_piece(begin, n_labels, [&](std::size_t offset, std::size_t length) {
            const Label* piece = labels + offset;
            if (number_of_.size()) {
                number_densely(piece, length, new_ids.values, shift, new_id);
            } else {
                runs.split(piece, length);
                id_of<Label> number_of_run[piece_size];
                ids.ids_for(runs, number_of_run);
                for (std::size_t run = 0; run < runs.n; ++run)
                    new_ids.values[run] = new_id(static_cast<Id>(number_of_run[run]));
            }
            if (ids.labels.size() > max_labels) return false;
            if (number_of_.size()) {
                FASTREMAP_CHOOSE(convert(new_ids.values, length, out + offset));
                if (also) FASTREMAP_CHOOSE(convert(new_ids.values, length, also + offset));
            } else {
                new_ids.fill(runs, length, out + offset);
                if (also == nullptr) return true;
                std::copy(new_ids.values, new_ids.values + runs.n, wide_ids.values);
                wide_ids.fill(runs, length, also + offset);
            }
            return true;
        });
    }

   private:
    // In three loops, of which the last is rarely run: look all numbers up, make ids of them, and number new labels.
    template <class Id, class NewId>
    void number_densely(const Label* labels, std::size_t n, Id* values, Id shift, const NewId& new_id) {
        std::uint32_t numbers[piece_size];
        const std::uint32_t* const number_of = number_of_.begin();
        const std::size_t n_keys = number_of_.size();
        const Label lowest = lowest_;
        if (!any_beyond(labels, n, lowest, n_keys)) {
#pragma GCC unroll 4
            for (std::size_t i = 0; i < n; ++i) numbers[i] = number_of[static_cast<Label>(labels[i] - lowest)];
        } else {
            for (std::size_t i = 0; i < n; ++i) {
                const auto at = static_cast<Label>(labels[i] - lowest);
                numbers[i] = at < n_keys ? number_of[at] : 0;
            }
        }
        const bool any_new = FASTREMAP_CHOOSE(ids_of(numbers, n, static_cast<Id>(shift - 1), keep_zero_, values));
        for (std::size_t i = 0; any_new && i < n; ++i)
            if (numbers[i] == 0) values[i] = new_id(static_cast<Id>(number_at_first(labels[i])));
    }

    [[gnu::noinline]] std::uint64_t number_at_first(Label label) {
        const auto at = static_cast<Label>(label - lowest_);
        const std::uint64_t number = ids.id_for(label);
        if (at < number_of_.size() && number < std::numeric_limits<std::uint32_t>::max())
            number_of_[at] = static_cast<std::uint32_t>(number + 1);
        return number;
    }

    bool keep_zero_;
    Label lowest_;
    ZeroedArray<std::uint32_t> number_of_;  // and 1, so that 0 is none
};

}  // namespace fastremap
