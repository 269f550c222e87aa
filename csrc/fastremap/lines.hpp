// Positions in C order, whatever the order in memory.
//
// What:       walks an array as lines whose items have C-order indices start, start + step, ...: the whole array is one
//             line if it lies in C order; in Fortran order the lines run along the first axis.
// Requires:   ndim >= 1; a contiguous array.
// Complexity: O(number of lines).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fastremap {

// The coordinates of consecutive lines: all axes but one, which is last or first. advance() moves to the next line.
class Odometer {
   public:
    Odometer(const std::int64_t* shape, int first, int last) : shape_(shape), first_(first), last_(last), at_(last, 0) {}

    // `axis` changes fastest first: from first_ up (Fortran order) or from last_ - 1 down (C order).
    template <bool fortran>
    void advance() {
        for (int step = 0; step < last_ - first_; ++step) {
            const int axis = fortran ? first_ + step : last_ - 1 - step;
            if (++at_[axis] < shape_[axis]) return;
            at_[axis] = 0;
        }
    }

    std::int64_t operator[](int axis) const { return at_[axis]; }

   private:
    const std::int64_t* shape_;
    int first_, last_;
    std::vector<std::int64_t> at_;
};

inline std::int64_t n_items_of(const std::int64_t* shape, int ndim) {
    std::int64_t n_items = 1;
    for (int axis = 0; axis < ndim; ++axis) n_items *= shape[axis];
    return n_items;
}

// Calls action(offset in memory, length, start, step) for each line.
template <class Action>
void for_each_line(const std::int64_t* shape, int ndim, bool fortran, Action&& action) {
    const std::int64_t n_items = n_items_of(shape, ndim);
    if (n_items == 0) return;
    if (!fortran || ndim < 2) return action(std::int64_t{0}, n_items, std::int64_t{0}, std::int64_t{1});
    std::vector<std::int64_t> strides(ndim, 1);
    for (int axis = ndim - 2; axis >= 0; --axis) strides[axis] = strides[axis + 1] * shape[axis + 1];
    Odometer line(shape, 1, ndim);
    for (std::int64_t offset = 0; offset < n_items; offset += shape[0], line.advance<true>()) {
        std::int64_t start = 0;
        for (int axis = 1; axis < ndim; ++axis) start += line[axis] * strides[axis];
        action(offset, shape[0], start, strides[0]);
    }
}

}  // namespace fastremap
