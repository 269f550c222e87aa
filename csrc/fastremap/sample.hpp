// What a few windows of an array tell of the whole, and the strategy that follows from it.
//
// What:       choose() looks at up to 64 windows of 512 items and names the strategy for the array:
//               runs    cut into runs, one look-up in the hash table for each: label images
//               dense   a direct table over a narrow range of labels, an item at a time: short runs of few labels
//               sort    so many labels that most look-ups would miss the caches, or so few that a table costs more
// Requires:   a contiguous array. FASTREMAP_STRATEGY forces one where it can be used at all.
// Complexity: O(1): at most 2^15 items.
// Source:     the number of distinct labels by counting coincidences, as in the birthday problem: s items drawn from
//             d labels give about s^2 / 2 d pairs of equal ones.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>

#include "choice.hpp"
#include "table.hpp"

namespace fastremap {

inline constexpr const char* strategy_names[] = {"runs", "dense", "sort"};

struct Sample {
    std::size_t n_items = 0, n_runs = 0, n_repeated = 0;  // runs whose label an earlier run of the sample had
    std::uint64_t lowest = std::numeric_limits<std::uint64_t>::max(), highest = 0;

    double run_length() const { return static_cast<double>(n_items) / static_cast<double>(n_runs); }
    double n_distinct() const {
        const auto n = static_cast<double>(n_runs);
        return n_repeated ? n * n / (2.0 * static_cast<double>(n_repeated)) : n * n;
    }
};

inline constexpr std::size_t window_size = 512, max_windows = 64;

template <class Label>
Sample sample(const Label* labels, std::size_t n_labels) {
    Sample seen;
    const std::size_t n_windows = std::clamp<std::size_t>(n_labels >> 16, 4, max_windows);
    TableFor<Label, Label> met;
    for (std::size_t window = 0; window < n_windows; ++window) {
        // Spread evenly, first and last item included: the ends of sorted labels tell their range.
        const Label* at = labels + (n_labels - window_size) / (n_windows - 1) * window;
        if (window + 1 == n_windows) at = labels + n_labels - window_size;
        for (std::size_t i = 0; i < window_size; ++i) {
            if (i && at[i] == at[i - 1]) continue;
            bool inserted;
            met.find_or_insert(at[i], at[i], inserted);
            seen.n_repeated += !inserted;
            ++seen.n_runs;
            seen.lowest = std::min<std::uint64_t>(seen.lowest, at[i]);
            seen.highest = std::max<std::uint64_t>(seen.highest, at[i]);
        }
    }
    seen.n_items = n_windows * window_size;
    return seen;
}

// Below this the choice costs more than it can gain.
inline constexpr std::size_t min_sampled = 8192;
// To sort so few takes less time than to make a table, of which `renumber` has need in any case.
inline constexpr std::size_t few_labels = 256;
// Direct tables of so many entries stay in the second-level cache.
inline constexpr std::uint64_t dense_keys = std::uint64_t{1} << 17;
// So many labels and their table exceed the last-level cache of a core.
inline constexpr double many_labels = 1 << 20;
// A run costs about as much as so many items one at a time; bytes are the cheapest to tally.
template <class Label>
inline constexpr double dense_run_length = sizeof(Label) == 1 ? 10 : 5;

// Every label of 1 or 2 bytes; of others the range seen, and an eighth more at both ends for what was not.
template <class Label>
Choice dense_range(const Sample& seen) {
    constexpr std::uint64_t most = std::numeric_limits<Label>::max();
    if (sizeof(Label) <= 2) return {Strategy::dense, 0, most + 1};
    const std::uint64_t margin = (seen.highest - seen.lowest) / 8;
    const std::uint64_t from = seen.lowest - std::min(margin, seen.lowest);
    const std::uint64_t to = seen.highest + std::min(margin, most - seen.highest);
    return {Strategy::dense, from, std::max(to - from, to - from + 1)};  // 2^64 labels count as one less
}

inline std::optional<Strategy> forced_strategy() {
    const char* name = std::getenv("FASTREMAP_STRATEGY");
    if (name == nullptr || *name == '\0') return std::nullopt;
    for (Strategy strategy : {Strategy::runs, Strategy::dense, Strategy::sort})
        if (std::strcmp(name, strategy_names[static_cast<int>(strategy)]) == 0) return strategy;
    throw std::invalid_argument(std::string("FASTREMAP_STRATEGY=") + name +
                                " is not known; expected runs, dense or sort");
}

template <class Label>
Choice choose(const Label* labels, std::size_t n_labels) {
    const std::optional<Strategy> forced = forced_strategy();
    if (!forced && n_labels < few_labels) return {Strategy::sort, 0, 0, 0};
    if (n_labels < (forced.value_or(Strategy::runs) == Strategy::runs ? min_sampled : window_size))
        return {forced == Strategy::sort ? Strategy::sort : Strategy::runs, 0, 0, static_cast<double>(n_labels)};
    const Sample seen = sample(labels, n_labels);
    Choice choice = dense_range<Label>(seen);
    const double n_distinct = std::min(seen.n_distinct(), static_cast<double>(n_labels));
    // A wider range must not take more memory than the hash table in whose place it is.
    const double most_keys = std::max(static_cast<double>(dense_keys), 4 * n_distinct);
    const bool is_narrow = static_cast<double>(choice.n_keys) <= most_keys;
    const bool are_short = seen.run_length() < dense_run_length<Label>;
    // To sort costs the same however many labels there are; look-ups cost more and more, since fewer labels are in
    // near caches and more of them are new. Few labels of many items are not worth a copy of these.
    const double items_of_each = static_cast<double>(n_labels) / n_distinct;
    const bool are_many = seen.run_length() < 1.5 && items_of_each <= (n_distinct < many_labels ? 8 : 32);
    choice.n_distinct = forced == Strategy::sort ? static_cast<double>(n_labels) : n_distinct;
    choice.strategy = forced.value_or(are_short && is_narrow  ? Strategy::dense
                                      : are_short && are_many ? Strategy::sort
                                                              : Strategy::runs);
    if (choice.strategy == Strategy::dense && !is_narrow) choice.strategy = Strategy::runs;
    return choice;
}

}  // namespace fastremap
