// Replaces labels by the values of a table that is built once and used for any number of arrays.
//
// What:       Lookup(keys, values).apply(labels -> out) with one of three rules for labels that are not keys.
// Requires:   contiguous arrays; distinct keys; `out` may be the array itself where the widths are equal.
// Complexity: O(n) expected; 16 to 64 bytes a key, or 2 to 9 bytes for each value of a narrow key range.
// Source:     own; one look-up per run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <variant>

#include "choice.hpp"
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
        if (span < std::max<std::uint64_t>(std::uint64_t{1} << 16, 4 * n_keys)) {
            table_.template emplace<DirectTable<Label, Out>>(lowest, n_keys ? span + 1 : 0);
        } else if constexpr (sizeof(Label) >= 4) {
            table_.template emplace<Table<Label, Out>>(n_keys);
        }
        std::visit(
            [&](auto& table) {
                bool inserted;
                for (std::size_t i = 0; i < n_keys; ++i) table.find_or_insert(keys[i], values[i], inserted);
            },
            table_);
    }

    // Returns the number of items done: fewer than n_labels only under Missing::stop, where the piece that begins
    // there holds a label that is no key. A null `out` only looks. Unless the runs are long a direct table is asked for
    // each item.
    std::size_t apply(const Label* labels, std::size_t n_labels, Out* out, Missing missing, Out fill,
                      Strategy strategy) const {
        if (strategy == Strategy::dense && std::holds_alternative<Direct>(table_))
            return apply_to_items(std::get<Direct>(table_), labels, n_labels, out, missing, fill);
        return std::visit(
            [&](const auto& table) { return apply_to_runs(table, labels, n_labels, out, missing, fill); }, table_);
    }

   private:
    template <class AnyTable>
    static std::size_t apply_to_runs(const AnyTable& table, const Label* labels, std::size_t n_labels, Out* out,
                                     Missing missing, Out fill) {
        Runs<Label> runs;
        RunValues<Out> mapped;
        return for_each_piece(0, n_labels, [&](std::size_t offset, std::size_t length) {
            runs.split(labels + offset, length);
            Out found[piece_size];
            std::uint32_t elsewhere[piece_size];
            bool any_missing = false;
            const std::size_t n_elsewhere = table.find(runs.keys, runs.n, found, elsewhere);
            for (std::size_t i = 0; i < n_elsewhere; ++i) {
                const Label label = runs.keys[elsewhere[i]];
                const Out otherwise = missing == Missing::keep ? static_cast<Out>(label) : fill;
                found[elsewhere[i]] = table.find(label, otherwise, any_missing);
            }
            if (missing == Missing::stop && any_missing) return false;
            if (!out) return true;
            std::copy(found, found + runs.n, mapped.values);
            mapped.fill(runs, length, out + offset);
            return true;
        });
    }

    static std::size_t apply_to_items(const DirectTable<Label, Out>& table, const Label* labels, std::size_t n_labels,
                                      Out* out, Missing missing, Out fill) {
        Out mapped[piece_size];
        return for_each_piece(0, n_labels, [&](std::size_t offset, std::size_t length) {
            bool any_missing = false;
            for (std::size_t i = 0; i < length; ++i) {
                const Label label = labels[offset + i];
                mapped[i] = table.find(label, missing == Missing::keep ? static_cast<Out>(label) : fill, any_missing);
            }
            if (missing == Missing::stop && any_missing) return false;
            if (out) std::copy(mapped, mapped + length, out + offset);
            return true;
        });
    }

    using Direct = DirectTable<Label, Out>;
    std::conditional_t<(sizeof(Label) < 4), std::variant<Direct>, std::variant<Direct, Table<Label, Out>>> table_{
        Direct(0, 0)};
};

}  // namespace fastremap
