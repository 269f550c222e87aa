// Loops over items that have a place each in a direct table.
//
// What:       any_beyond tells whether a label has no place, ids_of makes new ids of looked-up numbers, convert
//             narrows or widens, and tally counts.
// Requires:   nothing of the items.
// Complexity: O(n); tally takes a narrow count or four for each place.
// Source:     own; plain loops that the compiler vectorises, compiled for each instruction set.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "isa.hpp"
#include "memory.hpp"
#include "runs.hpp"

namespace fastremap {

namespace scalar {
#include "dense_loops.inc"
}

#if FASTREMAP_X86
#pragma GCC push_options
#pragma GCC target("avx2")
namespace avx2 {
#include "dense_loops.inc"
}
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,prefer-vector-width=512")
namespace avx512 {
#include "dense_loops.inc"
}
#pragma GCC pop_options
#endif

// Whether a label is beyond [lowest, lowest + n_keys), the range of a direct table.
template <class Label>
bool any_beyond(const Label* labels, std::size_t n, Label lowest, std::size_t n_keys) {
    if (n_keys > std::numeric_limits<Label>::max()) return false;
    return n_keys == 0 || FASTREMAP_CHOOSE(any_above(labels, n, lowest, static_cast<Label>(n_keys - 1)));
}

// Calls act(i, place) for each item of a piece. Items are read 8 bytes at a time into a register. Without the `asm` gcc
// makes vectors, whose items it then takes out one by one through memory: up to four times slower.
template <class Label, class Act>
void for_each_place(const Label* items, std::size_t n, Label lowest, const Act& act) {
    constexpr std::size_t n_in_word = 8 / sizeof(Label), n_bits = 8 * sizeof(Label) % 64, n_in_line = 64 / sizeof(Label);
    const auto act_on_words = [&](std::size_t i, std::size_t stop) {
        for (; i + n_in_word <= stop; i += n_in_word) {
            std::uint64_t word;
            std::memcpy(&word, items + i, 8);
            asm("" : "+r"(word));  // does nothing, and is in no vector
            for (std::size_t item = 0; item < n_in_word; ++item)
                act(i + item, static_cast<Label>(static_cast<Label>(word >> n_bits * item) - lowest));
        }
        return i;
    };
    std::size_t i = 0;
    for (; i + n_in_line <= n; i += n_in_line) {
        prefetch_ahead<n_in_line>(items + i);
        act_on_words(i, i + n_in_line);
    }
    for (i = act_on_words(i, n); i < n; ++i) act(i, static_cast<Label>(items[i] - lowest));
}

// Calls act(i, place) for each item that has a place of its own among n_places from `from` on, i counted within its piece,
// and act_on_other(item) for others; if the items have at most 2 bytes, each has a place.
template <class Item, class Act, class ActOnOther>
void for_each_item(const Item* items, std::size_t n, Item from, std::size_t n_places, const Act& act,
                   const ActOnOther& act_on_other) {
    constexpr bool is_whole = sizeof(Item) <= 2;  // constants, which save half of the work
    const Item lowest = is_whole ? Item{0} : from;
    const auto last = static_cast<Item>(n_places - 1);
    for_each_piece(0, n, [=, &act_on_other](std::size_t offset, std::size_t length) {
        bool any_beyond = false;
        for_each_place(items + offset, length, lowest, [=, &any_beyond](std::size_t i, Item at) {
            if (is_whole || at <= last) [[likely]] {
                act(i, at);
            } else {
                any_beyond = true;
            }
        });
        for (std::size_t i = offset; any_beyond && i < offset + length; ++i)
            if (static_cast<Item>(items[i] - lowest) > last) act_on_other(items[i]);
        return true;
    });
}

// Tallies of 16 bits for so many labels stay in the first-level cache.
inline constexpr std::size_t first_level_keys = std::size_t{1} << 14;

// Counts items that have a place each, and calls count_other(label) for others. Tables take turns, since an item that
// follows its like would wait for the count of that to be written; they are emptied before a narrow count can overflow.
template <class Count, std::size_t n_tables, class Label, class CountOther>
void tally(const Label* items, std::size_t n, Label from, std::int64_t* count_of, std::size_t n_keys,
           const CountOther& count_other) {
    constexpr std::size_t most = std::numeric_limits<Count>::max() / piece_size * piece_size;
    std::vector<Count> tables(n_tables * n_keys);
    for (std::size_t begin = 0; begin < n; begin += most) {
        const auto count = [n_keys, to = tables.data()](std::size_t i, Label at) { ++to[i % n_tables * n_keys + at]; };
        for_each_item(items + begin, std::min(most, n - begin), from, n_keys, count, count_other);
        for (std::size_t table = 0; table < n_tables; ++table)
            FASTREMAP_CHOOSE(add_counts(tables.data() + table * n_keys, n_keys, count_of));
        std::fill(tables.begin(), tables.end(), Count{0});
    }
}

// Counts words of 2 bytes in a table of bytes, of which half lies in the first-level cache. A count that overflows loses
// 256, which shows in the sum of all: such a batch is not counted. Calls add(counts) for each batch that is, and returns
// how many words these have. Batches are so long that the most frequent word is expected to come 128 times.
template <class Add>
std::size_t tally_words(const std::uint16_t* words, std::size_t n, const Add& add) {
    constexpr std::size_t n_values = std::size_t{1} << 16;
    constexpr std::size_t probe = std::size_t{1} << 16, least = std::size_t{1} << 18, most = std::size_t{1} << 22;
    if (n < 4 * least) return 0;  // to sum the counts up would take too long beside
    std::vector<std::uint8_t> counts(n_values);
    std::size_t done = 0, batch = probe;
    do {
        const auto count = [to = counts.data()](std::size_t, std::uint16_t at) { ++to[at]; };
        for_each_item(words + done, batch, std::uint16_t{0}, n_values, count, [](std::uint16_t) {});
        std::uint8_t greatest;
        if (FASTREMAP_CHOOSE(sum_of(counts.data(), n_values, greatest)) != batch) break;
        add(counts.data());
        std::fill(counts.begin(), counts.end(), std::uint8_t{0});
        done += batch;
        batch = std::min({most, batch * 128 / greatest, n - done}) / piece_size * piece_size;
    } while (batch >= least);
    return done;
}

// Counts as many items as can be counted in words of 2 bytes, and returns how many. Bytes are counted in pairs, with
// half of the stores.
template <class Label>
std::size_t tally_in_words(const Label* labels, std::size_t n_labels, std::int64_t* count_of) {
    const auto* const words = reinterpret_cast<const std::uint16_t*>(labels);
    const bool is_aligned = reinterpret_cast<std::uintptr_t>(labels) % sizeof(*words) == 0;
    if (sizeof(Label) > 2 || !is_aligned) return 0;
    if constexpr (sizeof(Label) == 2) {
        return tally_words(words, n_labels, [=](const std::uint8_t* counts) {
            FASTREMAP_CHOOSE(add_counts(counts, std::size_t{1} << 16, count_of));
        });
    }
    return 2 * tally_words(words, n_labels / 2, [=](const std::uint8_t* counts) {
        for (std::size_t one = 0; one < 256; ++one, counts += 256) {  // the counts of pairs of it and any other
            std::uint8_t greatest;
            count_of[one] += static_cast<std::int64_t>(FASTREMAP_CHOOSE(sum_of(counts, 256, greatest)));
            FASTREMAP_CHOOSE(add_counts(counts, 256, count_of));
        }
    });
}

}  // namespace fastremap
