// Items by part: in one pass, and past the caches.
//
// What:       partition writes items by the part that each belongs to; OneArray and TwoArrays are where they go.
// Requires:   items that may be copied as bytes; about 2,500 parts at most, whose lines lie in the second-level cache.
// Complexity: O(n); a line or two of the cache for each part.
// Source:     Satish et al., Fast Sort on CPUs and GPUs, SIGMOD 2010.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <utility>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "memory.hpp"

namespace fastremap {

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
    static constexpr std::size_t gathered = 2 * line_nbytes / std::gcd(line_nbytes, sizeof(Item));

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

// Writes the last n items before `end`.
template <class Lines, class Arrays>
void write_last(std::size_t n, std::size_t end, std::size_t shift, const Lines& lines, const Arrays& out) {
    for (std::size_t at = end - n; at < end; ++at) out.set(at, lines.get((at + shift) % Arrays::gathered));
}

// How many of the items 0, ..., n - 1 lie before each part, of which part_at(i) is that of item i. Functions are passed
// by value: what they capture would be read anew after each write.
template <class PartAt>
std::vector<std::size_t> begins_of_parts(std::size_t n, PartAt part_at, std::size_t n_parts) {
    std::vector<std::size_t> even(n_parts), odd(n_parts);  // one count need not wait for the one before
    for (std::size_t i = 0; i + 1 < n; i += 2) ++even[part_at(i)], ++odd[part_at(i + 1)];
    if (n % 2) ++even[part_at(n - 1)];
    std::size_t n_before = 0;
    for (std::size_t part = 0; part < n_parts; ++part) n_before += std::exchange(even[part], n_before) + odd[part];
    return even;
}

// Writes item_at(0), ..., item_at(n - 1) by part, those of one part in their order, and returns the ends of the parts.
// Items of a part are gathered until they fill lines of the cache, which are written past it, since they are read much
// later.
template <class ItemAt, class PartAt, class Arrays>
std::vector<std::size_t> partition(std::size_t n, ItemAt item_at, PartAt part_at, const Arrays& out,
                                   const std::vector<std::size_t>& begins) {
    constexpr std::size_t gathered = Arrays::gathered;
    std::vector<std::size_t> ends = begins;
    const std::size_t shift = out.shift();
    ZeroedArray<typename Arrays::Lines> lines(begins.size());
    for (std::size_t i = 0; i < n; ++i) {
        const std::size_t part = part_at(i), at = ends[part]++;
        const std::size_t place = (at + shift) % gathered;
        lines[part].set(place, item_at(i));
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

}  // namespace fastremap
