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

// Items are gathered until they fill lines of the cache, which then can be written past it.
inline constexpr std::size_t line_nbytes = 64;

// Requires that `to` begins at a line.
template <std::size_t nbytes>
void write_past_caches(void* to, const void* lines) {
    static_assert(nbytes % line_nbytes == 0);
#if defined(__SSE2__)
    for (std::size_t at = 0; at < nbytes / sizeof(__m128i); ++at)
        _mm_stream_si128(static_cast<__m128i*>(to) + at, _mm_load_si128(static_cast<const __m128i*>(lines) + at));
#else
    std::memcpy(to, lines, nbytes);
#endif
}

inline bool begins_line(const void* address) { return reinterpret_cast<std::uintptr_t>(address) % line_nbytes == 0; }

inline void finish_writes_past_caches() {
#if defined(__SSE2__)
    _mm_sfence();
#endif
}

// Where sorted items lie: side by side in one array.
template <class Item>
class OneArray {
   public:
    static constexpr std::size_t gathered = line_nbytes / std::gcd(line_nbytes, sizeof(Item));

    struct alignas(line_nbytes) Lines {
        Item items[gathered];

        void set(std::size_t at, const Item& item) { items[at] = item; }
        Item get(std::size_t at) const { return items[at]; }
    };

    explicit OneArray(Item* items) : items_(items) {}

    bool begins_line() const { return fastremap::begins_line(items_); }
    void set(std::size_t at, const Item& item) const { items_[at] = item; }
    void write_past_caches(std::size_t at, const Lines& lines) const {
        fastremap::write_past_caches<sizeof(Lines)>(items_ + at, &lines);
    }
    // Calls sort(items, n) for a part.
    template <class Sort>
    void sort_part(std::size_t begin, std::size_t n, const Sort& sort) const {
        sort(items_ + begin, n);
    }

   private:
    Item* items_;
};

// A label, and the place where it was. Without padding, which a sort would move too.
#pragma pack(push, 4)
template <class Label, class Index>
struct Placed {
    Label label;
    Index place;
};
#pragma pack(pop)

// Labels in one array and their places in another one, as who asked for them wants them.
template <class Label, class Index>
class TwoArrays {
   public:
    using Item = Placed<Label, Index>;
    static constexpr std::size_t gathered = line_nbytes / std::min(sizeof(Label), sizeof(Index));

    struct alignas(line_nbytes) Lines {
        Label labels[gathered];
        Index places[gathered];

        void set(std::size_t at, const Item& item) { labels[at] = item.label, places[at] = item.place; }
        Item get(std::size_t at) const { return {labels[at], places[at]}; }
    };

    TwoArrays(Label* labels, Index* places) : labels_(labels), places_(places) {}

    bool begins_line() const { return fastremap::begins_line(labels_) && fastremap::begins_line(places_); }
    void set(std::size_t at, const Item& item) const { labels_[at] = item.label, places_[at] = item.place; }
    void write_past_caches(std::size_t at, const Lines& lines) const {
        fastremap::write_past_caches<sizeof(lines.labels)>(labels_ + at, lines.labels);
        fastremap::write_past_caches<sizeof(lines.places)>(places_ + at, lines.places);
    }
    // Most parts stay in the second-level cache while they are items.
    template <class Sort>
    void sort_part(std::size_t begin, std::size_t n, const Sort& sort) {
        if (part_.size() < n) part_ = ZeroedArray<Item>(n);
        for (std::size_t i = 0; i < n; ++i) part_[i] = {labels_[begin + i], places_[begin + i]};
        sort(&part_[0], n);
        for (std::size_t i = 0; i < n; ++i) set(begin + i, part_[i]);
    }

   private:
    Label* labels_;
    Index* places_;
    ZeroedArray<Item> part_;
};

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
            return sorted.sort_part(0, n, [this](Item* items, std::size_t n_part) { sort(items, n_part); });
        }
        const unsigned digit_bits = std::min(static_cast<unsigned>(std::bit_width(n / part_size)), most_parts_bits);
        // A few ranks tell how many bits they all have: if that is right, the array is read once less.
        Bits seen = 0;
        for (std::size_t i = 0; i < n; i += n / few) seen |= rank_(item_at(i));
        const unsigned guessed_bits = width_of(seen);
        Digit digit{rank_, 0, guessed_bits - std::min(guessed_bits, digit_bits)};
        std::vector<std::size_t> begins(std::size_t{1} << digit_bits);
        const std::size_t last = begins.size() - 1;
        const auto [lowest, highest] =
            range_of(item_at, n, [&](const Item& item) { ++begins[std::min(digit(item), last)]; });
        const unsigned n_bits = width_of(highest - lowest);
        if (width_of(highest) > guessed_bits || n_bits + 1 < guessed_bits) {
            digit.lowest = lowest, digit.shift = n_bits - std::min(n_bits, digit_bits);
            std::fill(begins.begin(), begins.end(), 0);
            for (std::size_t i = 0; i < n; ++i) ++begins[digit(item_at(i))];
        }
        std::exclusive_scan(begins.begin(), begins.end(), begins.begin(), std::size_t{0});
        const std::vector<std::size_t> ends = partition(item_at, n, sorted, digit, begins);
        for (std::size_t part = 0; digit.shift > 0 && part < ends.size(); ++part) {
            sorted.sort_part(begins[part], ends[part] - begins[part], [&](Item* items, std::size_t n_part) {
                sort_part(items, n_part, digit.lowest_of(part), digit.shift);
            });
        }
    }

    void sort(Item* items, std::size_t n) {
        if (n > cached) return sort_by_copy(items, n);
        if (n < few) return sort_few(items, n);
        const auto [lowest, highest] = range_of([items](std::size_t i) { return items[i]; }, n, [](const Item&) {});
        sort_cached(items, n, lowest, width_of(highest - lowest));
    }

   private:
    using Bits = std::remove_cvref_t<decltype(std::declval<Rank>()(std::declval<Item>()))>;

    static constexpr std::size_t few = 256;  // to count their digits takes longer than to compare them
    // Parts of so many items and their copy lie in the second-level cache; what is greater is parted.
    static constexpr std::size_t part_size = std::size_t{1} << 14, cached = 4 * part_size;
    // So many parts have their next lines in the second-level cache, and their pages in the second-level TLB.
    static constexpr unsigned most_parts_bits = 11;
    // Within a part items are sorted by so many bits, as two digits, so that the next lines of all places lie in the
    // first-level cache. The higher digit is no power of two: of labels that are spread evenly, as numbers in any order
    // are, each has the same number, and places a power of two apart would share few sets of the cache.
    static constexpr unsigned prefix_bits = 18;
    static constexpr std::uint32_t n_high = 480, n_low = (1 << prefix_bits) / n_high + 1;

    static constexpr std::uint32_t high_digit(std::uint32_t prefix) { return prefix * (n_high >> 5) >> (prefix_bits - 5); }
    static constexpr std::uint32_t low_digit(std::uint32_t prefix) {
        constexpr std::uint32_t divisor = n_high >> 5;
        return prefix - ((high_digit(prefix) << (prefix_bits - 5)) + divisor - 1) / divisor;
    }

    // The part of a rank by which items are put into parts.
    struct Digit {
        Rank rank;
        Bits lowest;
        unsigned shift;

        std::size_t operator()(const Item& item) const {
            return static_cast<std::size_t>(static_cast<Bits>(rank(item) - lowest) >> shift);
        }
        Bits lowest_of(std::size_t part) const { return static_cast<Bits>(lowest + (static_cast<Bits>(part) << shift)); }
    };

    static unsigned width_of(Bits rank) { return static_cast<unsigned>(std::bit_width(rank)); }

    // The lowest and the highest rank. Calls act for every item.
    template <class ItemAt, class Act>
    std::pair<Bits, Bits> range_of(const ItemAt& item_at, std::size_t n, const Act& act) const {
        const Rank rank = rank_;
        Bits lowest = rank(item_at(0)), highest = lowest;
        for (std::size_t i = 0; i < n; ++i) {
            const Item item = item_at(i);
            lowest = std::min<Bits>(lowest, rank(item)), highest = std::max<Bits>(highest, rank(item));
            act(item);
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

    // Sorts items whose ranks exceed the lowest by at most n_bits.
    void sort_part(Item* items, std::size_t n, Bits lowest, unsigned n_bits) {
        if (n > cached) return sort_by_copy(items, n);
        if (n < few) return sort_few(items, n);
        sort_cached(items, n, lowest, n_bits);
    }

    // Sorts by the two highest digits, from the lower one on, and then what is still out of order.
    void sort_cached(Item* items, std::size_t n, Bits lowest, unsigned n_bits) {
        if (n_bits == 0) return;
        const Rank rank = rank_;
        const unsigned shift = n_bits - std::min(n_bits, prefix_bits);
        const auto prefix = [=](const Item& item) {
            return static_cast<std::uint32_t>(static_cast<Bits>(rank(item) - lowest) >> shift);
        };
        std::array<std::uint32_t, n_low> low_places{};
        std::array<std::uint32_t, n_high> high_places{};
        for (std::size_t i = 0; i < n; ++i) {
            const std::uint32_t digits = prefix(items[i]);
            ++low_places[low_digit(digits)];
            ++high_places[high_digit(digits)];
        }
        std::exclusive_scan(low_places.begin(), low_places.end(), low_places.begin(), std::uint32_t{0});
        std::exclusive_scan(high_places.begin(), high_places.end(), high_places.begin(), std::uint32_t{0});
        if (spare_.size() < n) spare_ = ZeroedArray<Item>(std::min(2 * n, cached));
        Item* const spare = &spare_[0];
        for (std::size_t i = 0; i < n; ++i) spare[low_places[low_digit(prefix(items[i]))]++] = items[i];
        for (std::size_t i = 0; i < n; ++i) items[high_places[high_digit(prefix(spare[i]))]++] = spare[i];
        for (std::size_t i = 1; shift > 0 && i < n; ++i) {
            if (rank(items[i]) >= rank(items[i - 1])) continue;
            const std::uint32_t common = prefix(items[i]);
            std::size_t begin = i - 1, end = i + 1;
            while (begin > 0 && prefix(items[begin - 1]) == common) --begin;
            while (end < n && prefix(items[end]) == common) ++end;
            if (end - begin == 2) {  // as nearly all
                std::swap(items[begin], items[i]);
            } else {
                sort_part(items + begin, end - begin, static_cast<Bits>(lowest + (Bits{common} << shift)), shift);
            }
            i = end - 1;
        }
    }

    // Writes items by part, those of one part in their order, and returns the ends of the parts. Items of a part are
    // gathered until they fill lines of the cache, which are written past it, since they are read much later.
    template <class ItemAt, class Arrays>
    static std::vector<std::size_t> partition(const ItemAt& item_at, std::size_t n, const Arrays& out, const Digit& digit,
                                              const std::vector<std::size_t>& begins) {
        constexpr std::size_t gathered = Arrays::gathered;
        std::vector<std::size_t> ends = begins;
        const bool begins_line = out.begins_line();
        ZeroedArray<typename Arrays::Lines> lines(begins.size());
        for (std::size_t i = 0; i < n; ++i) {
            const Item item = item_at(i);
            const std::size_t part = digit(item), at = ends[part]++, place = at % gathered;
            lines[part].set(place, item);
            if (place + 1 < gathered) continue;
            if (begins_line && at + 1 >= begins[part] + gathered)
                out.write_past_caches(at + 1 - gathered, lines[part]);
            else
                write_since(std::max(begins[part], at + 1 - gathered), at + 1, lines[part], out);
        }
        for (std::size_t part = 0; part < begins.size(); ++part)
            write_since(std::max(begins[part], ends[part] / gathered * gathered), ends[part], lines[part], out);
        finish_writes_past_caches();
        return ends;
    }

    template <class Lines, class Arrays>
    static void write_since(std::size_t begin, std::size_t end, const Lines& lines, const Arrays& out) {
        for (std::size_t at = begin; at < end; ++at) out.set(at, lines.get(at % Arrays::gathered));
    }

    Rank rank_;
    ZeroedArray<Item> spare_;
};

// Sorts labels of a kind, label_at(0) to label_at(n - 1): their ranks, which then need not be found in each pass.
template <class Label, class LabelAt>
void sort_labels(const LabelAt& label_at, std::size_t n, char kind, Label* sorted) {
    const RankOf<Label> rank(kind);
    const auto rank_at = [&](std::size_t i) { return rank(label_at(i)); };
    Sorter<Label, std::identity>({}).sort(rank_at, n, OneArray<Label>(sorted));
    for (std::size_t i = 0; !rank.is_identity() && i < n; ++i) sorted[i] = rank.bits_of(sorted[i]);
}

// As above with the place of each; equal labels stay in the order of these.
template <class Label, class Index, class LabelAt>
void sort_with_places(const LabelAt& label_at, std::size_t n, char kind, Label* sorted, Index* places) {
    using Item = Placed<Label, Index>;
    const RankOf<Label> rank(kind);
    const auto item_at = [&](std::size_t i) { return Item{rank(label_at(i)), static_cast<Index>(i)}; };
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
