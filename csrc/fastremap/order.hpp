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

    // Items whose number and this make a multiple of `gathered` begin lines; `gathered` if none do.
    std::size_t shift() const {
        std::size_t n = 0;
        while (n < gathered && !begins_line(items_ + gathered - n)) ++n;
        return n;
    }
    void set(std::size_t at, const Item& item) const { items_[at] = item; }
    void write_past_caches(std::size_t at, const Lines& lines) const {
        fastremap::write_past_caches<sizeof(Lines)>(items_ + at, &lines);
    }
    // Calls sort(item_at, items, n) for a part, which writes item_at(0), ..., item_at(n - 1) to the items in order.
    template <class Sort>
    void sort_part(std::size_t begin, std::size_t n, const Sort& sort) const {
        const auto item_at = [items = items_ + begin](std::size_t i) { return items[i]; };
        sort(item_at, items_ + begin, n);
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

    std::size_t shift() const { return begins_line(labels_) && begins_line(places_) ? 0 : gathered; }
    void set(std::size_t at, const Item& item) const { labels_[at] = item.label, places_[at] = item.place; }
    void write_past_caches(std::size_t at, const Lines& lines) const {
        fastremap::write_past_caches<sizeof(lines.labels)>(labels_ + at, lines.labels);
        fastremap::write_past_caches<sizeof(lines.places)>(places_ + at, lines.places);
    }
    // Most parts stay in the second-level cache while they are items.
    template <class Sort>
    void sort_part(std::size_t begin, std::size_t n, const Sort& sort) {
        if (part_.size() < n) part_ = ZeroedArray<Item>(n);
        Item* const items = &part_[0];
        Label* const labels = labels_ + begin;
        Index* const places = places_ + begin;
        sort([=](std::size_t i) { return Item{labels[i], places[i]}; }, items, n);
        for (std::size_t i = 0; i < n; ++i) labels[i] = items[i].label, places[i] = items[i].place;
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
            return sorted.sort_part(0, n, [this](const auto& placed_at, Item* items, std::size_t n_part) {
                for (std::size_t i = 0; i < n_part; ++i) items[i] = placed_at(i);
                sort(items, n_part);
            });
        }
        const std::size_t n_parts = std::min(n / part_size, most_parts);
        // A few ranks tell how many bits they all have: if that is right, the array is read once less.
        Bits seen = 0;
        for (std::size_t i = 0; i < n; i += n / few) seen |= rank_(item_at(i));
        const unsigned guessed_bits = width_of(seen);
        Scale part_of(0, last_of(guessed_bits), n_parts);
        std::vector<std::size_t> begins(n_parts);
        const auto [lowest, highest] =
            range_of(item_at, n, [&](const Item& item) { ++begins[std::min(part_of(rank_(item)), n_parts - 1)]; });
        if (highest > last_of(guessed_bits) || width_of(highest - lowest) + 1 < guessed_bits) {
            part_of = Scale(lowest, highest, n_parts);
            std::fill(begins.begin(), begins.end(), 0);
            for (std::size_t i = 0; i < n; ++i) ++begins[part_of(rank_(item_at(i)))];
        }
        std::exclusive_scan(begins.begin(), begins.end(), begins.begin(), std::size_t{0});
        const std::vector<std::size_t> ends = partition(item_at, n, sorted, part_of, begins);
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
        const auto [lowest, highest] = range_of(item_at, n, [](const Item&) {});
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
    // Within a part items are sorted by so many values, as two digits, so that the next lines of all places lie in the
    // first-level cache.
    static constexpr std::uint32_t n_values = 480 * 544, n_low = 544, n_high = n_values / n_low;

    // The greatest rank of so many bits.
    static constexpr Bits last_of(unsigned n_bits) {
        return n_bits == 0 ? Bits{0} : static_cast<Bits>(static_cast<Bits>(~Bits{0}) >> (8 * sizeof(Bits) - n_bits));
    }

    // Maps ranks from the lowest to the highest to 0, ..., n - 1, in their order and about evenly.
    class Scale {
       public:
        Scale(Bits lowest, Bits highest, std::size_t n) : lowest_(lowest), highest_(highest) {
            const auto range = static_cast<Bits>(highest - lowest);
            shift_ = std::max(width_of(range), 32u) - 32;
            const std::uint64_t last = range >> shift_;
            factor_ = last < n ? one : (std::uint64_t{n} << 32) / (last + 1);
        }

        std::size_t operator()(Bits rank) const {
            const std::uint64_t above = static_cast<Bits>(rank - lowest_) >> shift_;
            return static_cast<std::size_t>(above * factor_ >> 32);
        }

        bool is_exact() const { return shift_ == 0 && factor_ == one; }  // each rank has a value of its own
        Bits lowest_of(std::size_t value) const {
            const std::uint64_t above = ((std::uint64_t{value} << 32) + factor_ - 1) / factor_;
            return static_cast<Bits>(lowest_ + static_cast<Bits>(static_cast<Bits>(above) << shift_));
        }
        Bits highest_of(std::size_t value) const {
            const Bits next = lowest_of(value + 1);
            return next > lowest_ ? std::min(highest_, static_cast<Bits>(next - 1)) : highest_;
        }

       private:
        static constexpr std::uint64_t one = std::uint64_t{1} << 32;

        Bits lowest_, highest_;
        unsigned shift_;
        std::uint64_t factor_;
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

    // Writes item_at(0), ..., item_at(n - 1) in order, with ranks from the lowest to the highest or between them.
    template <class ItemAt>
    void sort_part(const ItemAt& item_at, Item* items, std::size_t n, Bits lowest, Bits highest) {
        if (n >= few && n <= cached && lowest < highest) return sort_cached(item_at, items, n, lowest, highest);
        for (std::size_t i = 0; i < n; ++i) items[i] = item_at(i);
        if (lowest < highest) sort(items, n);
    }

    // Sorts by two digits, from the lower one on, and then what is still out of order.
    template <class ItemAt>
    void sort_cached(const ItemAt& item_at, Item* items, std::size_t n, Bits lowest, Bits highest) {
        const Scale scale(lowest, highest, n_values);
        const auto value_of = [scale, rank = rank_](const Item& item) {
            return static_cast<std::uint32_t>(scale(rank(item)));
        };
        std::array<std::uint32_t, n_low> low_places{};
        std::array<std::uint32_t, n_high> high_places{};
        for (std::size_t i = 0; i < n; ++i) {
            const std::uint32_t value = value_of(item_at(i));
            ++low_places[value % n_low];
            ++high_places[value / n_low];
        }
        std::exclusive_scan(low_places.begin(), low_places.end(), low_places.begin(), std::uint32_t{0});
        std::exclusive_scan(high_places.begin(), high_places.end(), high_places.begin(), std::uint32_t{0});
        if (spare_.size() < n) spare_ = ZeroedArray<Item>(std::min(2 * n, cached));
        Item* const spare = &spare_[0];
        for (std::size_t i = 0; i < n; ++i) {
            const Item item = item_at(i);
            spare[low_places[value_of(item) % n_low]++] = item;
        }
        for (std::size_t i = 0; i < n; ++i) items[high_places[value_of(spare[i]) / n_low]++] = spare[i];
        for (std::size_t i = 1; !scale.is_exact() && i < n; ++i) {
            if (rank_(items[i]) >= rank_(items[i - 1])) continue;
            const std::uint32_t common = value_of(items[i]);
            std::size_t begin = i - 1, end = i + 1;
            while (begin > 0 && value_of(items[begin - 1]) == common) --begin;
            while (end < n && value_of(items[end]) == common) ++end;
            if (end - begin == 2) {  // as nearly all
                std::swap(items[begin], items[i]);
            } else {
                sort(items + begin, end - begin);
            }
            i = end - 1;
        }
    }

    // Writes items by part, those of one part in their order, and returns the ends of the parts. Items of a part are
    // gathered until they fill lines of the cache, which are written past it, since they are read much later.
    template <class ItemAt, class Arrays>
    std::vector<std::size_t> partition(const ItemAt& item_at, std::size_t n, const Arrays& out, const Scale& part_of,
                                       const std::vector<std::size_t>& begins) const {
        const Rank rank = rank_;
        constexpr std::size_t gathered = Arrays::gathered;
        std::vector<std::size_t> ends = begins;
        const std::size_t shift = out.shift();
        ZeroedArray<typename Arrays::Lines> lines(begins.size());
        for (std::size_t i = 0; i < n; ++i) {
            const Item item = item_at(i);
            const std::size_t part = part_of(rank(item)), at = ends[part]++;
            const std::size_t place = (at + shift) % gathered;
            lines[part].set(place, item);
            if (place + 1 < gathered) continue;
            const std::size_t n_done = std::min(gathered, at + 1 - begins[part]);
            if (n_done == gathered && shift < gathered)
                out.write_past_caches(at + 1 - gathered, lines[part]);
            else
                write_last(n_done, at + 1, shift, lines[part], out);
        }
        for (std::size_t part = 0; part < begins.size(); ++part) {
            const std::size_t n_left = std::min((ends[part] + shift) % gathered, ends[part] - begins[part]);
            write_last(n_left, ends[part], shift, lines[part], out);
        }
        finish_writes_past_caches();
        return ends;
    }

    // Writes the last n items before `end`.
    template <class Lines, class Arrays>
    static void write_last(std::size_t n, std::size_t end, std::size_t shift, const Lines& lines, const Arrays& out) {
        for (std::size_t at = end - n; at < end; ++at) out.set(at, lines.get((at + shift) % Arrays::gathered));
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
