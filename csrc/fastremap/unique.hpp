// The distinct labels of an array, in the order in which they are first met, with counts and first positions.
//
// What:       Distinct collects one array; ids 0, 1, ... are given in memory order.
// Requires:   a contiguous array, in C or in Fortran order.
// Complexity: O(n) expected; about 32 to 48 bytes a distinct label, no bytes a voxel.
// Source:     own; find-or-insert per run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "runs.hpp"
#include "table.hpp"

namespace fastremap {

// Ids are as wide as a key, so that a slot of the table has no padding; no array has more labels than that.
template <class Label>
using id_of = std::conditional_t<sizeof(Label) == 8, std::uint64_t, std::uint32_t>;

// Numbers labels 0, 1, ... in the order in which they arrive.
template <class Label>
struct LabelIds {
    TableFor<Label, id_of<Label>> table;
    std::vector<Label> labels;

    id_of<Label> id_for(Label label) {
        bool inserted;
        const auto id = table.find_or_insert(label, static_cast<id_of<Label>>(labels.size()), inserted);
        if (inserted) labels.push_back(label);
        return id;
    }
};

struct LabelStats {
    std::int64_t count = 0;
    std::int64_t first = std::numeric_limits<std::int64_t>::max();  // least C-order index
};

template <class Label>
struct Distinct {
    LabelIds<Label> ids;
    std::vector<LabelStats> stats;

    // The item i of `labels` has the C-order index start + i * step, step > 0.
    template <bool with_stats>
    void add(const Label* labels, std::size_t n_labels, std::int64_t start, std::int64_t step) {
        Runs<Label> runs;
        for_each_piece(0, n_labels, [&](std::size_t offset, std::size_t length) {
            runs.split(labels + offset, length);
            if constexpr (with_stats) runs.locate();
            for (std::size_t run = 0; run < runs.n; ++run) {
                ids.table.prefetch(runs.keys[run + prefetch_distance]);
                const auto id = ids.id_for(runs.keys[run]);
                if constexpr (with_stats) {
                    if (id == stats.size()) stats.emplace_back();
                    LabelStats& of_label = stats[id];
                    of_label.count += static_cast<std::int64_t>(runs.length_of(run));
                    const auto index = static_cast<std::int64_t>(offset + runs.first_of(run));
                    of_label.first = std::min(of_label.first, start + index * step);
                }
            }
            return true;
        });
    }

    // An array in Fortran order, line by line along its first axis: within a line the C-order index only grows,
    // so the least one of a run is that of its first item.
    void add_fortran(const Label* labels, const std::int64_t* shape, int ndim) {
        std::vector<std::int64_t> strides(ndim, 1), at(ndim, 0);
        std::int64_t n_labels = 1;
        for (int axis = ndim - 1; axis >= 0; --axis) {
            strides[axis] = n_labels;
            n_labels *= shape[axis];
        }
        if (n_labels == 0) return;
        std::int64_t start = 0;
        for (std::int64_t done = 0; done < n_labels; done += shape[0]) {
            add<true>(labels + done, static_cast<std::size_t>(shape[0]), start, strides[0]);
            for (int axis = 1; axis < ndim; ++axis) {
                start += strides[axis];
                if (++at[axis] < shape[axis]) break;
                start -= at[axis] * strides[axis];
                at[axis] = 0;
            }
        }
    }
};

}  // namespace fastremap
