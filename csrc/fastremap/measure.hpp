// Measures that one pass over an array gives: the extremes, and the number of voxels that are not zero.
//
// Requires:   a contiguous array; minmax a non-empty one.
// Complexity: O(n); no extra bytes. Independent lanes let the compiler use vector registers, for floats too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace fastremap {

template <class Number>
struct Extremes {
    Number lowest, highest;
};

// NaN if any item is NaN, as numpy has it.
template <class Number>
Extremes<Number> minmax(const Number* items, std::size_t n_items) {
    constexpr std::size_t n_lanes = 128 / sizeof(Number);
    Number low[n_lanes], high[n_lanes];
    for (std::size_t lane = 0; lane < n_lanes; ++lane) low[lane] = high[lane] = items[0];
    Number not_a_number = 0;
    bool any_nan = false;
    auto take = [&](Number item, std::size_t lane) {
        low[lane] = item < low[lane] ? item : low[lane];
        high[lane] = item > high[lane] ? item : high[lane];
        if constexpr (std::is_floating_point_v<Number>) {
            if (item != item) {
                any_nan = true;
                not_a_number = item;
            }
        }
    };
    std::size_t i = 0;
    for (; i + n_lanes <= n_items; i += n_lanes)
        for (std::size_t lane = 0; lane < n_lanes; ++lane) take(items[i + lane], lane);
    for (; i < n_items; ++i) take(items[i], 0);
    if (any_nan) return {not_a_number, not_a_number};
    Extremes<Number> all{low[0], high[0]};
    for (std::size_t lane = 1; lane < n_lanes; ++lane) {
        all.lowest = low[lane] < all.lowest ? low[lane] : all.lowest;
        all.highest = high[lane] > all.highest ? high[lane] : all.highest;
    }
    return all;
}

// Items with a bit of `significant` set. For floats that leaves out the sign, since -0.0 is zero.
template <class Bits>
std::size_t count_nonzero(const Bits* items, std::size_t n_items, Bits significant) {
    std::size_t n_nonzero = 0;
    for (std::size_t i = 0; i < n_items; ++i) n_nonzero += (items[i] & significant) != 0;
    return n_nonzero;
}

}  // namespace fastremap
