// Where the voxels of each label lie.
//
// What:       scatter_points writes the coordinates of every voxel of the listed labels, label by label, in C order;
//             keep_surface sets voxels to 0 that lie neither on the border nor beside another label.
// Requires:   an array in C order, ndim >= 1; cursors that count from the places where the points of each label begin.
// Complexity: O(n) expected; 16 bytes a label.
// Source:     own; a counting sort of runs, whose voxels share all coordinates but the last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "lines.hpp"
#include "runs.hpp"
#include "table.hpp"

namespace fastremap {

template <class Label, class Coordinate>
void scatter_points(const Label* labels, const std::int64_t* shape, int ndim, const Label* keys, std::size_t n_keys,
                    std::int64_t* cursors, Coordinate* points) {
    // A direct table for all labels of two bytes takes longer to clear than a small image takes to walk.
    std::conditional_t<sizeof(Label) == 1, DirectTable<Label, std::uint64_t>, Table<Label, std::uint64_t>> places;
    bool inserted;
    for (std::size_t i = 0; i < n_keys; ++i) places.find_or_insert(keys[i], i, inserted);
    const std::int64_t n_items = n_items_of(shape, ndim);
    const auto n_line = static_cast<std::size_t>(shape[ndim - 1]);
    Odometer line(shape, 0, ndim - 1);
    Runs<Label> runs;
    for (std::int64_t done = 0; done < n_items; done += shape[ndim - 1], line.advance<false>()) {
        for_each_piece(0, n_line, [&](std::size_t offset, std::size_t length) {
            runs.split(labels + done + offset, length);
            for (std::size_t run = 0; run < runs.n; ++run) {
                const std::uint64_t* const place = places.find(runs.keys[run]);
                if (place == nullptr) continue;
                Coordinate* point = points + cursors[*place] * ndim;
                cursors[*place] += static_cast<std::int64_t>(runs.length_of(run));
                for (std::size_t at = runs.first_of(run); at < runs.stop_of(run); ++at) {
                    for (int axis = 0; axis + 1 < ndim; ++axis) *point++ = static_cast<Coordinate>(line[axis]);
                    *point++ = static_cast<Coordinate>(offset + at);
                }
            }
            return true;
        });
    }
}

template <class Label>
void keep_surface(const Label* labels, const std::int64_t* shape, int ndim, Label* out) {
    const std::int64_t n_items = n_items_of(shape, ndim), n_line = shape[ndim - 1];
    std::vector<std::uint8_t> is_surface(static_cast<std::size_t>(n_line));
    Odometer line(shape, 0, ndim - 1);
    for (std::int64_t done = 0; done < n_items; done += n_line, line.advance<false>()) {
        bool on_border = false;
        for (int axis = 0; axis + 1 < ndim; ++axis) on_border |= line[axis] == 0 || line[axis] + 1 == shape[axis];
        const Label* here = labels + done;
        is_surface.assign(is_surface.size(), on_border);
        is_surface.front() = is_surface.back() = 1;
        std::int64_t stride = 1;
        for (int axis = ndim - 1; axis >= 0 && !on_border; --axis) {
            for (std::int64_t i = 1; i + 1 < n_line; ++i)
                is_surface[i] |= (here[i] != here[i - stride]) | (here[i] != here[i + stride]);
            stride *= shape[axis];
        }
        for (std::int64_t i = 0; i < n_line; ++i) out[done + i] = is_surface[i] ? here[i] : Label{0};
    }
}

}  // namespace fastremap
