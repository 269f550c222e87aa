// Replaces labels by the values of a table that is built once and used for any number of arrays.
//
// What:       Lookup(keys, values).apply(labels -> out) with one of three rules for labels that are not keys.
// Requires:   contiguous arrays; of equal keys the last counts; `out` is fresh, or the array itself where the widths
//             are equal.
// Complexity: O(n) expected; 16 to 64 bytes a key, or 2 to 9 bytes for each value of a narrow key range.
// Source:     own; one look-up per run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <type_traits>
#include <variant>

#include "bytes.hpp"
#include "choice.hpp"
#include "dense.hpp"
#include "missing.hpp"
#include "runs.hpp"
#include "table.hpp"

namespace fastremap {

template <class Label, class Out>
class Lookup {
   public:
    // `n_labels`: about how many labels are to be looked up.
    Lookup(const Label* keys, const Out* values, std::size_t n_keys, std::size_t n_labels) {
        Label lowest = 0, highest = 0;
        if (n_keys) {
            const auto [low, high] = std::minmax_element(keys, keys + n_keys);
            lowest = *low, highest = *high;
        }
        // A direct table of 2^16 entries stays in the second-level cache; a larger one must not cost more than hashing,
        // nor to clear it more than to look all labels up.
        const std::uint64_t span = static_cast<std::uint64_t>(highest) - lowest;
        const std::uint64_t most = std::max<std::uint64_t>(std::uint64_t{1} << 16, 4 * n_keys);
        if (sizeof(Label) == 1 || span / 16 < std::min<std::uint64_t>(most / 16, n_labels)) {
            const bool is_whole = sizeof(Label) == 1 && n_keys > 0;
            table_.template emplace<Direct>(is_whole ? 0 : lowest, is_whole ? 256 : n_keys ? span + 1 : 0);
        } else if constexpr (sizeof(Label) > 1) {
            table_.template emplace<Table<Label, Out>>(n_keys);
        }
        std::visit(
            [&](auto& table) {
                bool inserted;
                for (std::size_t i = n_keys; i-- > 0;) table.find_or_insert(keys[i], values[i], inserted);
            },
            table_);
    }

    // Returns the number of items done: fewer than n_labels only under Missing::stop, where the piece that begins
    // there holds a label that is no key. A null `out` only looks. Where runs are short, a direct table is asked for
    // each item, unless it is so large beside the array that to make it ready would take longer.
    std::size_t apply(const Label* labels, std::size_t n_labels, Out* out, Missing missing, Out fill,
                      Strategy strategy) const {
        if (strategy == Strategy::dense && std::holds_alternative<Direct>(table_)) {
            const Direct& table = std::get<Direct>(table_);
            if (table.n_keys() <= n_labels) return apply_to_items(table, labels, n_labels, out, missing, fill);
        }
        return std::visit(
            [&](const auto& table) { return apply_to_runs(table, labels, n_labels, out, missing, fill); }, table_);
    }

   private:
    template <class AnyTable>
    static std::size_t apply_to_runs(const AnyTable& table, const Label* labels, std::size_t n_labels, Out* out,
                                     Missing missing, Out fill) {
        constexpr bool is_wide = std::is_same_v<Out, value_of<Out>>;
        Runs<Label> runs;
        RunValues<Out> mapped;
        Out narrow[is_wide ? 1 : piece_size];
        Out* found = narrow;
        if constexpr (is_wide) found = mapped.values;
        const bool is_fresh = static_cast<const void*>(out) != labels;
        bool many_missing = false, goes_on = false;
        return for_each_piece(0, n_labels, [&](std::size_t offset, std::size_t length) {
            if (goes_on) {
                const std::size_t n = replace_while(labels + offset, length, runs.keys[0], found[0], out + offset);
                if (n == length) return true;
                offset += n, length -= n;
            }
            runs.split(labels + offset, length);
            const std::size_t n_keys = runs.n_keys();
            if (missing != Missing::stop && offset / piece_size % 64 == 0) many_missing = are_many_missing(table, runs);
            if (is_fresh && out) provide(out, n_labels, offset, offset + length);
            goes_on = false;
            if (is_wide && n_keys == length && missing != Missing::stop)  // values go where they belong at once
                return look_up(table, runs, missing, fill, many_missing, out + offset);
            if (!look_up(table, runs, missing, fill, many_missing, found)) return false;
            // Not to write what is there already saves half of the traffic.
            if (!out || (!is_fresh && std::memcmp(found, runs.keys, n_keys * sizeof(Out)) == 0)) return true;
            goes_on = !is_fresh && runs.n == 1 && missing != Missing::stop;
            if constexpr (!is_wide) std::copy(found, found + n_keys, mapped.values);
            repeat(mapped.values, n_keys, runs.n);
            mapped.fill(runs, length, out + offset);
            return true;
        });
    }

    // Writes a value over the first items while they have the label, so few at a time that they stay in the first-level
    // cache in between; returns how many.
    static std::size_t replace_while(const Label* labels, std::size_t n, Label label, Out value, Out* out) {
        constexpr std::size_t n_block = piece_size / 4;
        std::size_t done = 0;
        for (; done + n_block <= n && !any_beyond(labels + done, n_block, label, 1); done += n_block)
            std::fill_n(out + done, n_block, value);
        return done;
    }

    // Whether it is so among the first keys of a piece.
    template <class AnyTable>
    static bool are_many_missing(const AnyTable& table, const Runs<Label>& runs) {
        constexpr std::size_t most = 64;
        Out found[most];
        std::uint32_t elsewhere[most];
        const std::size_t n = std::min(runs.n_keys(), most);
        return table.find(runs.keys, n, found, elsewhere) > n / 8;
    }

    // Writes the values of the keys of runs; false where a label is missing that must not. Without the rule for missing
    // labels a look-up takes half as long, but they are then looked for one by one: so it is tried until they are many.
    template <class AnyTable>
    static bool look_up(const AnyTable& table, const Runs<Label>& runs, Missing missing, Out fill, bool& many_missing,
                        Out* found) {
        std::uint32_t elsewhere[piece_size];
        const std::size_t n_keys = runs.n_keys();
        std::size_t n_elsewhere = 0;
        if (!many_missing) n_elsewhere = table.find(runs.keys, n_keys, found, elsewhere);
        many_missing |= missing != Missing::stop && n_elsewhere > n_keys / 16;
        const auto otherwise = [=, keys = runs.keys](std::size_t i) {
            return missing == Missing::keep ? static_cast<Out>(keys[i]) : fill;
        };
        if (many_missing) n_elsewhere = table.find(runs.keys, n_keys, found, elsewhere, otherwise);
        for (std::size_t i = 0; i < n_elsewhere; ++i) {
            const Out* const value = table.find(runs.keys[elsewhere[i]]);
            if (missing == Missing::stop && value == nullptr) return false;
            found[elsewhere[i]] = value ? *value : otherwise(elsewhere[i]);
        }
        return true;
    }

    // With the rule for missing labels written into a copy of the table there is no branch but for what lies outside.
    static std::size_t apply_to_items(const DirectTable<Label, Out>& table, const Label* labels, std::size_t n_labels,
                                      Out* out, Missing missing, Out fill) {
        const std::size_t n_keys = table.n_keys();
        const Label lowest = table.lowest();
        const std::uint8_t* const is_present = table.is_present();
        const Out* const values = table.values();
        const std::unique_ptr<Out[]> ruled(new Out[n_keys]);
        for (std::size_t at = 0; at < n_keys; ++at) {
            const auto label = static_cast<Label>(lowest + at);
            const Out value = values[at], otherwise = missing == Missing::keep ? static_cast<Out>(label) : fill;
            ruled[at] = is_present[at] ? value : otherwise;
        }
        const bool has_gaps = n_keys && std::memchr(is_present, 0, n_keys);
        return for_each_piece(0, n_labels, [&](std::size_t offset, std::size_t length) {
            const Label* piece = labels + offset;
            const bool beyond = any_beyond(piece, length, lowest, n_keys);
            if (missing == Missing::stop && (beyond || (has_gaps && any_in_gap(piece, length, lowest, is_present))))
                return false;
            if (out == nullptr) return true;
            if (static_cast<const void*>(out) != labels) provide(out, n_labels, offset, offset + length);
            if (!beyond) {
                map_items(piece, length, lowest, n_keys, ruled.get(), out + offset);
                return true;
            }
            for (std::size_t i = 0; i < length; ++i) {
                const auto at = static_cast<Label>(piece[i] - lowest);
                const Out otherwise = missing == Missing::keep ? static_cast<Out>(piece[i]) : fill;
                out[offset + i] = at < n_keys ? ruled[at] : otherwise;
            }
            return true;
        });
    }

    static bool any_in_gap(const Label* labels, std::size_t n, Label lowest, const std::uint8_t* is_present) {
        std::uint8_t any = 0;
        for (std::size_t i = 0; i < n; ++i) any |= !is_present[static_cast<Label>(labels[i] - lowest)];
        return any;
    }

    // Requires that all labels are in the range.
    static void map_items(const Label* labels, std::size_t n, Label lowest, std::size_t n_keys, const Out* ruled,
                          Out* out) {
        if constexpr (sizeof(Label) == 1 && sizeof(Out) == 1) {
            if (n_keys == 256) return FASTREMAP_CHOOSE(map_bytes(labels, n, ruled, out));
        }
        for_each_place(labels, n, lowest, [=](std::size_t i, Label at) { out[i] = ruled[at]; });
    }

    using Direct = DirectTable<Label, Out>;
    std::conditional_t<sizeof(Label) == 1, std::variant<Direct>, std::variant<Direct, Table<Label, Out>>> table_{
        Direct(0, 0)};
};

// labels[i] = values[labels[i]] where there is such a value. The values must lie elsewhere.
template <class Label>
void take(Label* labels, std::size_t n_labels, const Label* values, std::size_t n_values) {
    for (std::size_t i = 0; i < n_labels; ++i)
        if (labels[i] < n_values) labels[i] = values[labels[i]];
}

}  // namespace fastremap
