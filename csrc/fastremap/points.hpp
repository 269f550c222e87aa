// Where the voxels of each label lie.
//
// What:       Points writes the coordinates of every voxel of the listed labels, label by label, in C order;
//             keep_surface sets voxels to 0 that lie neither on the border nor beside another label.
// Requires:   an array in C order, ndim >= 1, or consecutive slabs of one along its first axis.
// Complexity: O(n) expected; 24 to 50 bytes a label.
// Source:     own; a counting sort of runs, whose voxels share all coordinates but the last.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "lines.hpp"
#include "runs.hpp"
#include "table.hpp"

namespace fastremap {

// Writes the points of a run, of which `line` are the coordinates but the last.
template <class Coordinate>
void write_points(const std::vector<Coordinate>& line, std::size_t from, std::size_t to, Coordinate* points) {
    if constexpr (sizeof(Coordinate) == 2 && std::endian::native == std::endian::little) {
        if (line.size() == 2) {  // three coordinates in one store of 8 bytes, of which the next point covers the last two
            constexpr std::uint64_t last_is_one = std::uint64_t{1} << 32;
            std::uint64_t point = line[0] | std::uint64_t{line[1]} << 16 | from * last_is_one;
            for (; from + 1 < to; ++from, points += 3, point += last_is_one) std::memcpy(points, &point, 8);
            std::memcpy(points, &point, 6);
            return;
        }
    }
    for (; from < to; ++from) {
        for (Coordinate coordinate : line) *points++ = coordinate;
        *points++ = static_cast<Coordinate>(from);
    }
}

template <class Label, class Coordinate>
class Points {
   public:
    // The labels, and how many voxels each has.
    Points(const Label* keys, const std::int64_t* counts, std::size_t n_keys) : none_(n_keys) {
        bool inserted;
        std::int64_t begin = 0;
        for (std::size_t i = 0; i < n_keys; begin += counts[i++]) {
            ids_.find_or_insert(keys[i], i, inserted);
            begins_.push_back(begin);
        }
    }

    // A slab whose first index along the first axis is `first`; `points` has room for all of the array.
    void add(const Label* labels, const std::int64_t* shape, int ndim, std::int64_t first, Coordinate* points) {
        const std::int64_t n_items = n_items_of(shape, ndim);
        const std::int64_t n_first = ndim > 1 ? 0 : first;  // of the last axis too, if there is but one
        const auto n_line = static_cast<std::size_t>(shape[ndim - 1]);
        Odometer line(shape, 0, ndim - 1);
        std::vector<Coordinate> coordinates(static_cast<std::size_t>(ndim - 1));
        for (std::int64_t done = 0; done < n_items; done += shape[ndim - 1], line.advance<false>()) {
            for (int axis = 0; axis + 1 < ndim; ++axis)
                coordinates[axis] = static_cast<Coordinate>(line[axis] + (axis == 0 ? first : 0));
            for_each_piece(0, n_line, [&](std::size_t offset, std::size_t length) {
                runs_.split(labels + done + offset, length);
                look_up();
                for (std::size_t run = 0; run < runs_.n; ++run) {
                    if (id_of_run_[run] == none_) continue;
                    std::int64_t& begin = begins_[id_of_run_[run]];
                    const std::size_t at = static_cast<std::size_t>(n_first) + offset;
                    write_points(coordinates, at + runs_.first_of(run), at + runs_.stop_of(run), points + begin * ndim);
                    begin += static_cast<std::int64_t>(runs_.length_of(run));
                }
                return true;
            });
        }
    }

   private:
    void look_up() {
        std::uint32_t elsewhere[piece_size];
        const auto otherwise = [none = none_](std::size_t) { return none; };
        const std::size_t n_elsewhere = ids_.find(runs_.keys, runs_.n, id_of_run_, elsewhere, otherwise);
        for (std::size_t i = 0; i < n_elsewhere; ++i) {
            const std::uint64_t* const id = ids_.find(runs_.keys[elsewhere[i]]);
            id_of_run_[elsewhere[i]] = id ? *id : none_;
        }
    }

    // A direct table for all labels of two bytes takes longer to clear than a small image takes to walk.
    std::conditional_t<sizeof(Label) == 1, DirectTable<Label, std::uint64_t>, Table<Label, std::uint64_t>> ids_;
    std::vector<std::int64_t> begins_;  // where the next point of each label belongs
    std::uint64_t none_;
    Runs<Label> runs_;
    std::uint64_t id_of_run_[piece_size];
};

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
