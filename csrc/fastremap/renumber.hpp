// New ids in the order of first appearance in memory, written while the labels are read.
//
// What:       run() writes the new id of every label, until the ids no longer fit; then the caller widens what is
//             written and goes on from there.
// Requires:   a contiguous array; `out` of the same length, or the array itself where the widths are equal.
// Complexity: O(n) expected; about 32 bytes a distinct label.
// Source:     own; find-or-insert per run.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runs.hpp"
#include "unique.hpp"

namespace fastremap {

template <class Label>
struct Numbering {
    LabelIds<Label> ids;

    // `keep_zero`: 0 stays 0, and the other labels count from id 1 on.
    explicit Numbering(bool keep_zero) : keep_zero_(keep_zero) {
        if (keep_zero) ids.id_for(Label{0});
    }

    // The new id of the label with number k is first_id + k (k - 1 with keep_zero, which skips the zero), modulo
    // the width of Out. Stops in front of the piece with which there would be more than max_labels labels.
    // Returns the number of items written.
    template <class Out>
    std::size_t run(const Label* labels, std::size_t begin, std::size_t n_labels, Out* out, std::uint64_t first_id,
                    std::size_t max_labels) {
        Runs<Label> runs;
        RunValues<Out> ids_of;
        const std::uint64_t shift = first_id - (keep_zero_ ? 1 : 0);
        return for_each_piece(begin, n_labels, [&](std::size_t offset, std::size_t length) {
            runs.split(labels + offset, length);
            for (std::size_t run = 0; run < runs.n; ++run) {
                ids.table.prefetch(runs.keys[run + prefetch_distance]);
                const auto id = ids.id_for(runs.keys[run]);
                ids_of.values[run] = keep_zero_ && id == 0 ? 0 : static_cast<value_of<Out>>(id + shift);
            }
            if (ids.labels.size() > max_labels) return false;
            ids_of.fill(runs, length, out + offset);
            return true;
        });
    }

   private:
    bool keep_zero_;
};

}  // namespace fastremap
