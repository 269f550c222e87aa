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

#include "lines.hpp"
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
    void add(Runs<Label>& runs, const Label* labels, std::size_t n_labels, std::int64_t start, std::int64_t step) {
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

    void add_labels_only(const Label* labels, std::size_t n_labels) {
        Runs<Label> runs;
        add<false>(runs, labels, n_labels, 0, 1);
    }

    // Within a line the C-order index only grows, so the least one of a run is that of its first item.
    void add_with_stats(const Label* labels, const std::int64_t* shape, int ndim, bool fortran) {
        Runs<Label> runs;
        for_each_line(shape, ndim, fortran, [&](std::int64_t line, std::int64_t n, std::int64_t start, std::int64_t step) {
            add<true>(runs, labels + line, static_cast<std::size_t>(n), start, step);
        });
    }
};

}  // namespace fastremap
