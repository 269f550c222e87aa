// Labels in ascending order, each with the number that it was given: two arrays of n items, which who returns this owns.
#pragma once

#include <cstddef>

namespace fastremap {

struct SortedLabels {
    void* labels;
    void* numbers;  // unsigned integers
    std::size_t number_width, n;
};

}  // namespace fastremap
