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

// Calls act(i, place) for each item. Items are read 8 bytes at a time into a register. Without the `asm` gcc makes
// vectors, whose items it then takes out one by one through memory: up to four times slower.
template <class Label, class Act>
void for_each_place(const Label* items, std::size_t n, Label lowest, const Act& act) {
    constexpr std::size_t n_in_word = 8 / sizeof(Label), n_bits = 8 * sizeof(Label) % 64;
    std::size_t i = 0;
    for (; i + n_in_word <= n; i += n_in_word) {
        std::uint64_t word;
        std::memcpy(&word, items + i, 8);
        asm("" : "+r"(word));  // does nothing, and is in no vector
        for (std::size_t item = 0; item < n_in_word; ++item)
            act(i + item, static_cast<Label>(static_cast<Label>(word >> n_bits * item) - lowest));
    }
    for (; i < n; ++i) act(i, static_cast<Label>(items[i] - lowest));
}

// Tallies of 16 bits for so many labels stay in the first-level cache.
inline constexpr std::size_t first_level_keys = std::size_t{1} << 14;

// Counts items that have a place each, and calls count_other(label) for others. Tables take turns, since an item that
// follows its like would wait for the count of that to be written; they are emptied before a narrow count can overflow.
template <class Count, std::size_t n_tables, class Label, class CountOther>
void tally(const Label* items, std::size_t n, Label from, std::int64_t* count_of, std::size_t n_places,
           const CountOther& count_other) {
    constexpr std::size_t most = std::numeric_limits<Count>::max() / piece_size * piece_size;
    constexpr bool is_whole = sizeof(Label) <= 2;  // every label has a place: constants, which save half of the work
    const Label lowest = is_whole ? Label{0} : from;
    const std::size_t n_keys = is_whole ? std::size_t{1} << 8 * sizeof(Label) % 64 : n_places;
    std::vector<Count> tables(n_tables * n_keys);
    Count* const to = tables.data();
    const auto empty = [=, &tables] {
        for (std::size_t table = 0; table < n_tables; ++table)
            FASTREMAP_CHOOSE(add_counts(to + table * n_keys, n_keys, count_of));
        std::fill(tables.begin(), tables.end(), Count{0});
    };
    const auto last = static_cast<Label>(n_keys - 1);
    for_each_piece(0, n, [=, &count_other](std::size_t offset, std::size_t length) {
        const Label* const piece = items + offset;
        if (offset > 0 && offset % most == 0) empty();
        bool any_beyond = false;
        for_each_place(piece, length, lowest, [&, to](std::size_t i, Label at) {
            if (is_whole || at <= last) [[likely]] {
                ++to[i % n_tables * n_keys + at];
            } else {
                any_beyond = true;
            }
        });
        for (std::size_t i = 0; any_beyond && i < length; ++i)
            if (static_cast<Label>(piece[i] - lowest) > last) count_other(piece[i]);
        return true;
    });
    empty();
}

}  // namespace fastremap
