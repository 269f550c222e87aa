// Ascending order of labels.
//
// What:       RankOf makes labels of any kind comparable as unsigned integers; Sorter sorts items by such ranks.
// Requires:   items that may be copied as bytes.
// Complexity: O(n) for ranks that are spread evenly, about 8 ns an item of 8 bytes however many there are; as many bytes
//             again as the items have, and twice that where one part of the ranks holds most items.
// Source:     radix sort by parts from the most significant digit on, through lines that are written past the caches:
//             Satish et al., Fast Sort on CPUs and GPUs, SIGMOD 2010; within a part from the least
//             significant digit on: Knuth, The Art of Computer Programming 3, section 5.2.5.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "memory.hpp"

namespace fastremap {

// The unsigned integers that order labels of a kind, numpy's letter, by their bits; NaNs come last.
template <class Bits>
class RankOf {
   public:
    explicit RankOf(char kind)
        : flipped_(kind == 'i' || kind == 'f' ? sign : 0), flipped_if_negative_(kind == 'f' ? ~Bits{0} : 0) {}

    Bits operator()(Bits bits) const {
        const auto if_negative = static_cast<Bits>(Bits{0} - static_cast<Bits>(bits >> (8 * sizeof(Bits) - 1)));
        return static_cast<Bits>(bits ^ (flipped_ | (if_negative & flipped_if_negative_)));
    }

    // What has a rank.
    Bits bits_of(Bits rank) const {
        const bool is_inverted = flipped_if_negative_ && !(rank & sign);
        return static_cast<Bits>(is_inverted ? ~rank : rank ^ flipped_);
    }

    bool is_identity() const { return flipped_ == 0; }

   private:
    static constexpr auto sign = static_cast<Bits>(Bits{1} << (8 * sizeof(Bits) - 1));
    Bits flipped_, flipped_if_negative_;
};

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
class Sorter {
   public:
    explicit Sorter(const Rank& rank) : rank_(rank) {}

    // Writes item_at(0), ..., item_at(n - 1) in order; these must not be what is written over.
    template <class ItemAt>
    void sort(const ItemAt& item_at, std::size_t n, Item* sorted) {
        if (n <= cached) {
            for (std::size_t i = 0; i < n; ++i) sorted[i] = item_at(i);
            return sort_cached(sorted, n);
        }
        const unsigned digit_bits = std::min(static_cast<unsigned>(std::bit_width(n / part_size)), max_digit_bits);
        // Where ranks use all of their bits, as hashes do, the array is read once less.
        Digit digit{rank_, 0, all_bits - std::min(digit_bits, all_bits)};
        std::vector<std::size_t> begins(std::size_t{1} << digit_bits);
        const auto [lowest, n_bits] = range_of(item_at, n, [&](const Item& item) { ++begins[digit(item)]; });
        if (n_bits < all_bits) {
            digit.lowest = lowest, digit.shift = n_bits - std::min(n_bits, digit_bits);
            std::fill(begins.begin(), begins.end(), 0);
            for (std::size_t i = 0; i < n; ++i) ++begins[digit(item_at(i))];
        }
        std::exclusive_scan(begins.begin(), begins.end(), begins.begin(), std::size_t{0});
        const std::vector<std::size_t> ends = partition(item_at, n, sorted, digit, begins);
        for (std::size_t part = 0; digit.shift > 0 && part < ends.size(); ++part)
            sort(sorted + begins[part], ends[part] - begins[part]);
    }

    void sort(Item* items, std::size_t n) {
        if (n <= cached) return sort_cached(items, n);
        ZeroedArray<Item> sorted(n);
        sort([items](std::size_t i) { return items[i]; }, n, &sorted[0]);
        std::memcpy(static_cast<void*>(items), sorted.begin(), n * sizeof(Item));
    }

   private:
    using Bits = std::remove_cvref_t<decltype(std::declval<Rank>()(std::declval<Item>()))>;

    static constexpr unsigned all_bits = 8 * sizeof(Bits);
    static constexpr std::size_t few = 256;  // to count their digits takes longer than to compare them
    // Parts of so many items and their copy lie in the second-level cache; what is greater is parted.
    static constexpr std::size_t part_size = std::size_t{1} << 14, cached = 4 * part_size;
    // So many parts have their next lines in the second-level cache, and their pages in the second-level TLB.
    static constexpr unsigned max_digit_bits = 11;
    static constexpr std::size_t n_digits = std::size_t{1} << max_digit_bits;

    // The part of a rank by which items are put into parts.
    struct Digit {
        Rank rank;
        Bits lowest;
        unsigned shift;

        std::size_t operator()(const Item& item) const {
            return static_cast<std::size_t>(static_cast<Bits>(rank(item) - lowest) >> shift);
        }
    };

    // The lowest rank, and how many bits the others exceed it by. Calls act for every item.
    template <class ItemAt, class Act>
    std::pair<Bits, unsigned> range_of(const ItemAt& item_at, std::size_t n, const Act& act) const {
        const Rank rank = rank_;
        Bits lowest = rank(item_at(0)), highest = lowest;
        for (std::size_t i = 0; i < n; ++i) {
            const Item item = item_at(i);
            lowest = std::min<Bits>(lowest, rank(item)), highest = std::max<Bits>(highest, rank(item));
            act(item);
        }
        return {lowest, static_cast<unsigned>(std::bit_width(static_cast<Bits>(highest - lowest)))};
    }

    // Sorts by the 22 highest bits in which the ranks differ, and then what is still out of order.
    void sort_cached(Item* items, std::size_t n) {
        const Rank rank = rank_;
        const auto is_before = [&](const Item& one, const Item& other) { return rank(one) < rank(other); };
        if (n < few) return std::stable_sort(items, items + n, is_before);
        const auto [least, n_bits] = range_of([items](std::size_t i) { return items[i]; }, n, [](const Item&) {});
        if (n_bits == 0) return;
        const unsigned shift = n_bits - std::min(n_bits, 2 * max_digit_bits);
        const auto prefix = [=, lowest = least](const Item& item) {
            return static_cast<std::uint32_t>(static_cast<Bits>(rank(item) - lowest) >> shift);
        };
        std::array<std::array<std::uint32_t, n_digits>, 2> places{};
        for (std::size_t i = 0; i < n; ++i) {
            const std::uint32_t digits = prefix(items[i]);
            ++places[0][digits % n_digits];
            ++places[1][digits / n_digits];
        }
        for (auto& place : places) std::exclusive_scan(place.begin(), place.end(), place.begin(), std::uint32_t{0});
        if (spare_.size() < n) spare_ = ZeroedArray<Item>(std::min(2 * n, cached));
        Item* const spare = &spare_[0];
        for (std::size_t i = 0; i < n; ++i) spare[places[0][prefix(items[i]) % n_digits]++] = items[i];
        for (std::size_t i = 0; i < n; ++i) items[places[1][prefix(spare[i]) / n_digits]++] = spare[i];
        for (std::size_t i = 1; shift > 0 && i < n; ++i) {
            if (!is_before(items[i], items[i - 1])) continue;
            std::size_t begin = i - 1, end = i + 1;
            while (begin > 0 && prefix(items[begin - 1]) == prefix(items[i])) --begin;
            while (end < n && prefix(items[end]) == prefix(items[i])) ++end;
            sort_cached(items + begin, end - begin);
            i = end - 1;
        }
    }

    // Writes items by part, those of one part in their order, and returns the ends of the parts. Items of a part are
    // gathered until they fill lines of the cache, which are written past it, since they are read much later.
    template <class ItemAt>
    static std::vector<std::size_t> partition(const ItemAt& item_at, std::size_t n, Item* out, const Digit& digit,
                                              const std::vector<std::size_t>& begins) {
        std::vector<std::size_t> ends = begins;
        std::size_t shift = 0;  // which makes items whose number is a multiple of `gathered` begin lines
        while (shift < gathered && reinterpret_cast<std::uintptr_t>(out + gathered - shift) % line != 0) ++shift;
        ZeroedArray<Item> lines(begins.size() * gathered);
        for (std::size_t i = 0; i < n; ++i) {
            const Item item = item_at(i);
            const std::size_t part = digit(item), at = ends[part]++, place = (at + shift) % gathered;
            Item* const begin = &lines[part * gathered];
            begin[place] = item;
            if (place + 1 < gathered) continue;
            const std::size_t n_done = std::min(gathered, at + 1 - begins[part]);
            if (n_done == gathered && shift < gathered) {
                write_past_caches(out + at + 1 - gathered, begin);
            } else {
                std::copy(begin + gathered - n_done, begin + gathered, out + at + 1 - n_done);
            }
        }
        for (std::size_t part = 0; part < begins.size(); ++part)
            for (std::size_t at = ends[part]; at > begins[part] && (at + shift) % gathered != 0; --at)
                out[at - 1] = lines[part * gathered + (at - 1 + shift) % gathered];
        finish_writes_past_caches();
        return ends;
    }

    static constexpr std::size_t line = 64;
    static constexpr std::size_t gathered = line / std::gcd(line, sizeof(Item));  // items that fill whole lines

    static void write_past_caches(Item* to, const Item* from) {
#if defined(__SSE2__)
        for (std::size_t at = 0; at < gathered * sizeof(Item); at += sizeof(__m128i))
            _mm_stream_si128(reinterpret_cast<__m128i*>(reinterpret_cast<char*>(to) + at),
                             _mm_load_si128(reinterpret_cast<const __m128i*>(reinterpret_cast<const char*>(from) + at)));
#else
        std::copy(from, from + gathered, to);
#endif
    }

    static void finish_writes_past_caches() {
#if defined(__SSE2__)
        _mm_sfence();
#endif
    }

    Rank rank_;
    ZeroedArray<Item> spare_;
};

// A label, and the place where it was. Without padding, which a sort would move too.
#pragma pack(push, 4)
template <class Label, class Index>
struct Placed {
    Label label;
    Index place;
};
#pragma pack(pop)

// Sorts labels of a kind, label_at(0) to label_at(n - 1): their ranks, which then need not be found in each pass.
template <class Label, class LabelAt>
void sort_labels(const LabelAt& label_at, std::size_t n, char kind, Label* sorted) {
    const RankOf<Label> rank(kind);
    const auto rank_at = [&](std::size_t i) { return rank(label_at(i)); };
    Sorter<Label, std::identity>({}).sort(rank_at, n, sorted);
    for (std::size_t i = 0; !rank.is_identity() && i < n; ++i) sorted[i] = rank.bits_of(sorted[i]);
}

// As above with the place of each; equal labels stay in the order of these.
template <class Label, class Index, class LabelAt>
ZeroedArray<Placed<Label, Index>> sort_with_places(const LabelAt& label_at, std::size_t n, char kind) {
    using Item = Placed<Label, Index>;
    const RankOf<Label> rank(kind);
    const auto item_at = [&](std::size_t i) { return Item{rank(label_at(i)), static_cast<Index>(i)}; };
    auto label_of = [](const Item& item) { return item.label; };
    ZeroedArray<Item> sorted(n);
    if (n > 0) Sorter<Item, decltype(label_of)>(label_of).sort(item_at, n, &sorted[0]);
    for (std::size_t i = 0; !rank.is_identity() && i < n; ++i) sorted[i].label = rank.bits_of(sorted[i].label);
    return sorted;
}

// Sorts a vector; short ones, and what is in order already, without a copy.
template <class Item, class Rank>
void sort_by(std::vector<Item>& items, const Rank& rank) {
    const auto is_before = [&](const Item& one, const Item& other) { return rank(one) < rank(other); };
    if (std::is_sorted(items.begin(), items.end(), is_before)) return;
    if (is_in_order(items, is_before)) return std::reverse(items.begin(), items.end());
    Sorter<Item, Rank>(rank).sort(items.data(), items.size());
}

}  // namespace fastremap
