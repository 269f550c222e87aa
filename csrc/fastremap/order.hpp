// Ascending order of labels.
//
// What:       rank_of() makes labels of any kind comparable as unsigned integers; sort_by() sorts items by such ranks.
// Requires:   nothing.
// Complexity: O(n) for each byte in which the ranks differ; as many bytes again as the items have.
// Source:     radix sort from the least significant digit: Knuth, The Art of Computer Programming 3, section 5.2.5.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace fastremap {

// An unsigned integer that orders labels with these bits, whose kind is numpy's letter; NaNs come last.
template <class Bits>
Bits rank_of(Bits bits, char kind) {
    constexpr auto sign = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));
    if (kind == 'i') return bits ^ sign;
    if (kind == 'f') return static_cast<Bits>(bits & sign ? ~bits : bits | sign);
    return bits;
}

// Whether items are all distinct, and ascend or descend.
template <class Item, class Before>
bool is_in_order(const std::vector<Item>& items, const Before& is_before) {
    const auto descends = [&](const Item& one, const Item& other) { return !is_before(one, other); };
    const auto ascends = [&](const Item& one, const Item& other) { return !is_before(other, one); };
    return std::adjacent_find(items.begin(), items.end(), descends) == items.end() ||
           std::adjacent_find(items.begin(), items.end(), ascends) == items.end();
}

// Sorts by rank(item), an unsigned integer; items of one rank stay in their order.
template <class Item, class Rank>
void sort_by(std::vector<Item>& items, const Rank& rank) {
    constexpr std::size_t few = 256;  // to count their digits takes longer than to compare them
    const auto is_before = [&](const Item& one, const Item& other) { return rank(one) < rank(other); };
    if (std::is_sorted(items.begin(), items.end(), is_before)) return;
    if (is_in_order(items, is_before)) return std::reverse(items.begin(), items.end());
    if (items.size() < few) return std::stable_sort(items.begin(), items.end(), is_before);
    constexpr std::size_t n_digits = sizeof(rank(items[0]));
    const auto digit = [&](const Item& item, std::size_t byte) { return rank(item) >> 8 * byte & 255; };
    std::array<std::array<std::size_t, 256>, n_digits> places{};
    for (const Item& item : items)
        for (std::size_t byte = 0; byte < n_digits; ++byte) ++places[byte][digit(item, byte)];
    std::vector<Item> sorted(items.size());
    for (std::size_t byte = 0; byte < n_digits; ++byte) {
        auto& place = places[byte];
        if (place[digit(items[0], byte)] == items.size()) continue;
        std::exclusive_scan(place.begin(), place.end(), place.begin(), std::size_t{0});
        for (const Item& item : items) sorted[place[digit(item, byte)]++] = item;
        items.swap(sorted);
    }
}

}  // namespace fastremap
