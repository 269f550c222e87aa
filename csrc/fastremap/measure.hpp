// Measures that one pass over an array gives: extremes, counts, and the first item that breaks a rule.
//
// Requires:   a contiguous array; minmax a non-empty one.
// Complexity: O(n); no extra bytes. Independent lanes let the compiler use vector registers, for floats too.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

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

// Neighbours in memory that are equal.
template <class Bits>
std::size_t count_equal_pairs(const Bits* items, std::size_t n_items) {
    std::size_t n_pairs = 0;
    for (std::size_t i = 0; i + 1 < n_items; ++i) n_pairs += items[i] == items[i + 1];
    return n_pairs;
}

// The loops below go on block by block, within which they do not branch, so that they stop early and still vectorise.
inline constexpr std::size_t stop_block = 4096;

// The places of the items that equal `wanted`.
template <class Bits>
void find_equal(const Bits* items, std::size_t n_items, Bits wanted, std::vector<std::int64_t>& places) {
    for (std::size_t begin = 0; begin < n_items; begin += stop_block) {
        const std::size_t end = std::min(begin + stop_block, n_items);
        std::size_t n_found = 0;
        for (std::size_t i = begin; i < end; ++i) n_found += items[i] == wanted;
        for (std::size_t i = begin; n_found != 0; ++i) {
            if (items[i] != wanted) continue;
            places.push_back(static_cast<std::int64_t>(i));
            --n_found;
        }
    }
}

template <class Bits>
bool all_equal(const Bits* items, std::size_t n_items, Bits wanted) {
    for (std::size_t begin = 0; begin < n_items; begin += stop_block) {
        const std::size_t end = std::min(begin + stop_block, n_items);
        bool differs = false;
        for (std::size_t i = begin; i < end; ++i) differs |= items[i] != wanted;
        if (differs) return false;
    }
    return true;
}

// In the order of numpy.sort: NaN is above all, and equal to NaN.
template <class Number>
bool is_ordered(const Number* items, std::size_t n_items, bool ascending) {
    for (std::size_t begin = 0; begin + 1 < n_items; begin += stop_block) {
        const std::size_t end = std::min(begin + stop_block, n_items - 1);
        bool falls = false, rises = false;
        for (std::size_t i = begin; i < end; ++i) {
            if constexpr (std::is_floating_point_v<Number>) {
                const bool nan = items[i] != items[i], next_nan = items[i + 1] != items[i + 1];
                falls |= (items[i] > items[i + 1]) | (nan & !next_nan);
                rises |= (items[i] < items[i + 1]) | (!nan & next_nan);
            } else {
                falls |= items[i] > items[i + 1];
                rises |= items[i] < items[i + 1];
            }
        }
        if (ascending ? falls : rises) return false;
    }
    return true;
}

}  // namespace fastremap
