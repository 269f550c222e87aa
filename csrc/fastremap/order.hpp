// Ascending order of labels.
//
// What:       RankOf makes labels of any kind comparable as unsigned integers; Sorter sorts items by such ranks.
// Requires:   items that may be copied as bytes.
// Complexity: O(n) for ranks that are spread evenly, 8 to 20 ns an item of 8 bytes however many there are; as many bytes
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

#include "memory.hpp"
#include "partition.hpp"

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

struct Product {
    std::uint64_t high, low;
};

inline Product multiply(std::uint64_t a, std::uint64_t b) {
#if defined(__SIZEOF_INT128__)
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    return {static_cast<std::uint64_t>(product >> 64), static_cast<std::uint64_t>(product)};
#else
    const std::uint64_t a_high = a >> 32, a_low = a & 0xFFFFFFFFu, b_high = b >> 32, b_low = b & 0xFFFFFFFFu;
    const std::uint64_t middle = a_high * b_low + (a_low * b_low >> 32);
    const std::uint64_t other = a_low * b_high + (middle & 0xFFFFFFFFu);
    return {a_high * b_high + (middle >> 32) + (other >> 32), a * b};
#endif
}

// Sorts by rank(item), an unsigned integer; items of one rank stay in their order.
template <class Item, class Rank>
class Sorter {
   public:
    explicit Sorter(const Rank& rank) : rank_(rank) {}

    // Writes item_at(0), ..., item_at(n - 1) in order; these must not be what is written over.
    template <class ItemAt, class Arrays>
    void sort(const ItemAt& item_at, std::size_t n, Arrays sorted) {
        if (n <= cached) {
            for (std::size_t i = 0; i < n; ++i) sorted.set(i, item_at(i));
            return sorted.sort_part(0, n, [this](const auto& placed_at, Item* items, std::size_t n_part) {
                for (std::size_t i = 0; i < n_part; ++i) items[i] = placed_at(i);
                sort(items, n_part);
            });
        }
        const std::size_t n_parts = std::min(n / part_size, most_parts);
        // A few ranks tell in which range all lie: if that is right, the array is read once less.
        const auto [low, high] = range_of([&](std::size_t i) { return item_at(i * (n / few)); }, few);
        const Bits guessed = last_of(width_of(high));
        Scale part_of(0, guessed, n_parts);
        std::vector<std::size_t> begins;
        if (high - low > guessed / 4) {
            const auto part_or_none = [=, rank = rank_](std::size_t i) {
                return rank(item_at(i)) <= guessed ? part_of(rank(item_at(i))) : n_parts;
            };
            begins = begins_of_parts(n, part_or_none, n_parts + 1);
        }
        const bool is_right = !begins.empty() && begins.back() == n;
        if (!is_right) {
            const auto [lowest, highest] = range_of(item_at, n);
            part_of = Scale(lowest, highest, n_parts);
        }
        const auto part_at = [=, rank = rank_](std::size_t i) { return part_of(rank(item_at(i))); };
        if (!is_right) begins = begins_of_parts(n, part_at, n_parts);
        const std::vector<std::size_t> ends = partition(n, item_at, part_at, sorted, begins);
        for (std::size_t part = 0; !part_of.is_exact() && part < n_parts; ++part) {
            const auto sort_one = [&](const auto& placed_at, Item* items, std::size_t n_part) {
                sort_part(placed_at, items, n_part, part_of.lowest_of(part), part_of.highest_of(part));
            };
            sorted.sort_part(begins[part], ends[part] - begins[part], sort_one);
        }
    }

    void sort(Item* items, std::size_t n) {
        if (n > cached) return sort_by_copy(items, n);
        if (n < few) return sort_few(items, n);
        const auto item_at = [items](std::size_t i) { return items[i]; };
        const auto [lowest, highest] = range_of(item_at, n);
        if (lowest < highest) sort_cached(item_at, items, n, lowest, highest);
    }

   private:
    using Bits = std::remove_cvref_t<decltype(std::declval<Rank>()(std::declval<Item>()))>;

    static constexpr std::size_t few = 256;  // to count their digits takes longer than to compare them
    // Parts of so many items and their copy lie in the second-level cache; what is greater is parted.
    static constexpr std::size_t part_size = std::size_t{1} << 14, cached = 4 * part_size;
    // So many parts have their next lines in the second-level cache, and about all their pages in the second-level TLB.
    // Neither this nor n_high is a power of two: labels that are spread evenly, as numbers in any order are, fall into
    // parts of one size, and places a power of two apart share few sets of a cache and of the TLB.
    static constexpr std::size_t most_parts = 2500;
    // Within a part items are sorted by two digits of so many values, so that the next lines of all places lie in the
    // first-level cache.
    static constexpr std::size_t n_low = 544, n_high = 480;

    // The greatest rank of so many bits.
    static constexpr Bits last_of(unsigned n_bits) {
        return n_bits == 0 ? Bits{0} : static_cast<Bits>(static_cast<Bits>(~Bits{0}) >> (8 * sizeof(Bits) - n_bits));
    }

    // Maps ranks from the lowest to the highest to 0, ..., n - 1, in their order and about evenly: a value is the upper
    // half of a product, whose lower half tells how far it is to the next one.
    class Scale {
       public:
        Scale(Bits lowest, Bits highest, std::size_t n) : lowest_(lowest), highest_(highest) {
            const auto range = static_cast<Bits>(highest - lowest);
            is_exact_ = range < n;
            factor_ = is_exact_ ? ~std::uint64_t{0} : quotient(n, range);
        }

        std::size_t operator()(Bits rank) const { return static_cast<std::size_t>(product_of(rank).high); }

        Product product_of(Bits rank) const {
            return multiply(std::uint64_t{static_cast<Bits>(rank - lowest_)} + is_exact_, factor_);
        }

        bool is_exact() const { return is_exact_; }  // each rank has a value of its own

        // The least rank that has at least a value, or the highest one.
        Bits lowest_of(std::size_t value) const {
            Bits low = lowest_, high = highest_;
            while (low < high) {
                const auto middle = static_cast<Bits>(low + static_cast<Bits>(high - low) / 2);
                if ((*this)(middle) < value)
                    low = static_cast<Bits>(middle + 1);
                else
                    high = middle;
            }
            return low;
        }

        Bits highest_of(std::size_t value) const {
            const Bits next = lowest_of(value + 1);
            return (*this)(next) > value ? static_cast<Bits>(next - 1) : next;
        }

       private:
        // n * 2^64 / (range + 1), or a little less, for n <= range and n < 2^20.
        static std::uint64_t quotient(std::uint64_t n, std::uint64_t range) {
            if (range == ~std::uint64_t{0}) return n;
            const std::uint64_t divisor = range + 1;
            const std::uint64_t whole = ~std::uint64_t{0} / divisor, rest = ~std::uint64_t{0} % divisor;
            const unsigned shift = std::max(width_of(range), 44u) - 44;
            return n * whole + n * (rest >> shift) / ((range >> shift) + 1);
        }

        Bits lowest_, highest_;
        bool is_exact_;
        std::uint64_t factor_;
    };

    static unsigned width_of(std::uint64_t rank) { return static_cast<unsigned>(std::bit_width(rank)); }

    // The lowest and the highest rank.
    template <class ItemAt>
    std::pair<Bits, Bits> range_of(ItemAt item_at, std::size_t n) const {
        const Rank rank = rank_;
        Bits lowest = rank(item_at(0)), highest = lowest;
        for (std::size_t i = 0; i < n; ++i) {
            const Bits bits = rank(item_at(i));
            lowest = std::min(lowest, bits), highest = std::max(highest, bits);
        }
        return {lowest, highest};
    }

    void sort_by_copy(Item* items, std::size_t n) {
        ZeroedArray<Item> sorted(n);
        sort([items](std::size_t i) { return items[i]; }, n, OneArray<Item>(&sorted[0]));
        std::memcpy(static_cast<void*>(items), sorted.begin(), n * sizeof(Item));
    }

    void sort_few(Item* items, std::size_t n) {
        const auto is_before = [rank = rank_](const Item& one, const Item& other) { return rank(one) < rank(other); };
        std::stable_sort(items, items + n, is_before);
    }

    // Writes item_at(0), ..., item_at(n - 1) in order, with ranks from the lowest to the highest or between them.
    template <class ItemAt>
    void sort_part(const ItemAt& item_at, Item* items, std::size_t n, Bits lowest, Bits highest) {
        if (n >= few && n <= cached && lowest < highest) return sort_cached(item_at, items, n, lowest, highest);
        for (std::size_t i = 0; i < n; ++i) items[i] = item_at(i);
        if (lowest < highest) sort(items, n);
    }

    // Sorts by two digits, from the lower one on, and then what is still out of order.
    template <class ItemAt>
    void sort_cached(ItemAt item_at, Item* items, std::size_t n, Bits lowest, Bits highest) {
        const Scale scale(lowest, highest, n_high);
        const auto digits_of = [scale, rank = rank_](const Item& item) {
            const Product product = scale.product_of(rank(item));
            return std::pair(product.high, multiply(product.low, n_low).high);
        };
        std::array<std::uint32_t, n_low> low_places{};
        std::array<std::uint32_t, n_high> high_places{};
        for (std::size_t i = 0; i < n; ++i) {
            const auto [high, low] = digits_of(item_at(i));
            ++high_places[high], ++low_places[low];
        }
        std::exclusive_scan(low_places.begin(), low_places.end(), low_places.begin(), std::uint32_t{0});
        std::exclusive_scan(high_places.begin(), high_places.end(), high_places.begin(), std::uint32_t{0});
        if (spare_.size() < n) spare_ = ZeroedArray<Item>(std::min(2 * n, cached));
        Item* const spare = &spare_[0];
        for (std::size_t i = 0; i < n; ++i) {
            const Item item = item_at(i);
            spare[low_places[digits_of(item).second]++] = item;
        }
        for (std::size_t i = 0; i < n; ++i) items[high_places[scale(rank_(spare[i]))]++] = spare[i];
        for (std::size_t i = 1; !scale.is_exact() && i < n; ++i) {
            if (rank_(items[i]) >= rank_(items[i - 1])) continue;
            const auto common = digits_of(items[i]);
            std::size_t begin = i - 1, end = i + 1;
            while (begin > 0 && digits_of(items[begin - 1]) == common) --begin;
            while (end < n && digits_of(items[end]) == common) ++end;
            if (end - begin == 2) {  // as nearly all
                std::swap(items[begin], items[i]);
            } else {
                sort(items + begin, end - begin);
            }
            i = end - 1;
        }
    }

    Rank rank_;
    ZeroedArray<Item> spare_;
};

// Sorts labels of a kind, label_at(0) to label_at(n - 1): their ranks, which then need not be found in each pass.
template <class Label, class LabelAt>
void sort_labels(const LabelAt& label_at, std::size_t n, char kind, Label* sorted) {
    const RankOf<Label> rank(kind);
    const auto rank_at = [=](std::size_t i) { return rank(label_at(i)); };
    Sorter<Label, std::identity>({}).sort(rank_at, n, OneArray<Label>(sorted));
    for (std::size_t i = 0; !rank.is_identity() && i < n; ++i) sorted[i] = rank.bits_of(sorted[i]);
}

// As above with the place of each; equal labels stay in the order of these.
template <class Label, class Index, class LabelAt>
void sort_with_places(const LabelAt& label_at, std::size_t n, char kind, Label* sorted, Index* places) {
    using Item = Placed<Label, Index>;
    const RankOf<Label> rank(kind);
    const auto item_at = [=](std::size_t i) { return Item{rank(label_at(i)), static_cast<Index>(i)}; };
    auto label_of = [](const Item& item) { return item.label; };
    if (n > 0) Sorter<Item, decltype(label_of)>(label_of).sort(item_at, n, TwoArrays<Label, Index>(sorted, places));
    for (std::size_t i = 0; !rank.is_identity() && i < n; ++i) sorted[i] = rank.bits_of(sorted[i]);
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
