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
    Lookup(const Label* keys, const Out* values, std::size_t n_keys) {
        Label lowest = 0, highest = 0;
        if (n_keys) {
            const auto [low, high] = std::minmax_element(keys, keys + n_keys);
            lowest = *low, highest = *high;
        }
        // A direct table of 2^16 entries stays in the second-level cache; a larger one must not cost more than hashing.
        const std::uint64_t span = static_cast<std::uint64_t>(highest) - lowest;
        if (sizeof(Label) == 1 || span < std::max<std::uint64_t>(std::uint64_t{1} << 16, 4 * n_keys)) {
            const bool is_whole = sizeof(Label) == 1 && n_keys > 0;
            table_.template emplace<Direct>(is_whole ? 0 : lowest, is_whole ? 256 : n_keys ? span + 1 : 0);
        } else if constexpr (sizeof(Label) >= 4) {
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
        Runs<Label> runs;
        RunValues<Out> mapped;
        const bool is_fresh = static_cast<const void*>(out) != labels;
        return for_each_piece(0, n_labels, [&](std::size_t offset, std::size_t length) {
            runs.split(labels + offset, length);
            Out found[piece_size];
            std::uint32_t elsewhere[piece_size];
            const std::size_t n_keys = runs.n_keys();
            const auto otherwise = [=, keys = runs.keys](std::size_t i) {
                return missing == Missing::keep ? static_cast<Out>(keys[i]) : fill;
            };
            const std::size_t n_elsewhere = missing == Missing::stop
                                                ? table.find(runs.keys, n_keys, found, elsewhere)
                                                : table.find(runs.keys, n_keys, found, elsewhere, otherwise);
            for (std::size_t i = 0; i < n_elsewhere; ++i) {
                const Out* const value = table.find(runs.keys[elsewhere[i]]);
                if (missing == Missing::stop && value == nullptr) return false;
                found[elsewhere[i]] = value ? *value : otherwise(elsewhere[i]);
            }
            if (!out) return true;
            if (is_fresh) {
                provide(out, n_labels, offset, offset + length);
            } else if (std::memcmp(found, runs.keys, n_keys * sizeof(Out)) == 0) {
                return true;  // not to write what is there already saves half of the traffic
            }
            std::copy(found, found + n_keys, mapped.values);
            repeat(mapped.values, n_keys, runs.n);
            mapped.fill(runs, length, out + offset);
            return true;
        });
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
    std::conditional_t<(sizeof(Label) < 4), std::variant<Direct>, std::variant<Direct, Table<Label, Out>>> table_{
        Direct(0, 0)};
};

// labels[i] = values[labels[i]] where there is such a value. The values must lie elsewhere.
template <class Label>
void take(Label* labels, std::size_t n_labels, const Label* values, std::size_t n_values) {
    for (std::size_t i = 0; i < n_labels; ++i)
        if (labels[i] < n_values) labels[i] = values[labels[i]];
}

}  // namespace fastremap
