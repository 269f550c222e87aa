// The distinct labels of an array, with counts and first positions.
//
// What:       Distinct collects one array. By runs, labels come in the order in which they are first met in memory;
//             densely, in ascending order, and after them those beyond the range.
// Requires:   a contiguous array, in C or in Fortran order.
// Complexity: O(n) expected; by runs about 32 to 120 bytes a distinct label, densely 1 to 16 bytes for each label of
//             the range; no bytes a voxel.
// Source:     own; find-or-insert per run, or a direct tally.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>

#include "dense.hpp"
#include "lines.hpp"
#include "runs.hpp"
#include "sample.hpp"
#include "table.hpp"

namespace fastremap {

// Ids are as wide as a key, so that a slot of the table has no padding; no array has more labels than that.
template <class Label>
using id_of = std::conditional_t<sizeof(Label) == 8, std::uint64_t, std::uint32_t>;

// Numbers labels 0, 1, ... in the order in which they arrive.
template <class Label>
struct LabelIds {
    std::vector<Label> labels;

    id_of<Label> id_for(Label label) {
        bool inserted;
        const auto id = table().find_or_insert(label, static_cast<id_of<Label>>(labels.size()), inserted);
        if (inserted) labels.push_back(label);
        return id;
    }

    // The ids of at most piece_size labels; prefetch_distance more are readable.
    void ids_for(const Label* keys, std::size_t n, id_of<Label>* found) {
        std::uint32_t elsewhere[piece_size];
        const std::size_t n_elsewhere = table().find(keys, n, found, elsewhere);
        for (std::size_t i = 0; i < n_elsewhere; ++i) found[elsewhere[i]] = id_for(keys[elsewhere[i]]);
    }

    // The ids of the labels of runs.
    void ids_for(const Runs<Label>& runs, id_of<Label>* found) {
        const std::size_t n_keys = runs.n_keys();
        ids_for(runs.keys, n_keys, found);
        repeat(found, n_keys, runs.n);
    }

   private:
    using Ids = TableFor<Label, id_of<Label>>;

    // To make it takes longer than many a call on few labels, which may not need it.
    Ids& table() { return table_ ? *table_ : table_.emplace(); }

    std::optional<Ids> table_;
};

inline constexpr std::int64_t nowhere = std::numeric_limits<std::int64_t>::max();

template <class Label>
struct Distinct {
    LabelIds<Label> ids;
    std::vector<std::int64_t> counts;
    std::vector<std::int64_t> first;  // least C-order index

    // In C order the first index of a label is where it is met for the first time.
    template <bool with_first>
    void add_labels(const Label* labels, std::size_t n_labels) {
        TableFor<Label, Nothing> met;  // without values: half as large in the cache
        Runs<Label> runs;
        for_each_piece(0, n_labels, [&](std::size_t offset, std::size_t length) {
            runs.split(labels + offset, length);
            std::uint32_t elsewhere[piece_size];
            const std::size_t n_elsewhere = met.find_others(runs.keys, runs.n_keys(), elsewhere);
            for (std::size_t i = 0; i < n_elsewhere; ++i) {
                const std::size_t run = elsewhere[i];
                bool inserted;
                met.find_or_insert(runs.keys[run], Nothing{}, inserted);
                if (!inserted) continue;
                ids.labels.push_back(runs.keys[run]);
                if constexpr (with_first) first.push_back(static_cast<std::int64_t>(offset + runs.first_of(run)));
            }
            return true;
        });
    }

    // Counts lie in the table, beside the labels.
    void add_with_counts(const Label* labels, std::size_t n_labels) {
        constexpr std::size_t most = std::size_t{1} << 31;  // that 32 bits can count
        TableFor<Label, id_of<Label>> count_of;
        Runs<Label> runs;
        for (std::size_t begin = 0; begin < n_labels; begin += most) {
            for_each_piece(begin, std::min(n_labels, begin + most), [&](std::size_t offset, std::size_t length) {
                runs.split(labels + offset, length);
                count_runs(runs, count_of);
                return true;
            });
            counts.resize(ids.labels.size(), 0);
            bool inserted;
            for (std::size_t i = 0; i < counts.size(); ++i)
                counts[i] += static_cast<std::int64_t>(
                    std::exchange(count_of.find_or_insert(ids.labels[i], 0, inserted), id_of<Label>{0}));
        }
    }

    // Within a line the C-order index only grows, so the least one of a run is that of its first item.
    void add_with_first(const Label* labels, const std::int64_t* shape, int ndim, bool fortran) {
        Runs<Label> runs;
        const auto add = [&](std::int64_t line, std::int64_t n, std::int64_t start, std::int64_t step) {
            for_each_piece(0, static_cast<std::size_t>(n), [&](std::size_t offset, std::size_t length) {
                runs.split(labels + line + offset, length);
                add_piece(runs, start + static_cast<std::int64_t>(offset) * step, step);
                return true;
            });
        };
        for_each_line(shape, ndim, fortran, add);
    }

    // Densely: the labels of [lowest, lowest + n_keys) have a place each.
    void tally_labels_only(const Label* labels, std::size_t n_labels, Label lowest, std::size_t n_keys) {
        ZeroedArray<bool> is_present(n_keys);  // bytes could be anything, and all would be read anew after each write
        // Where no other label can be, all is known as soon as every one was met.
        const bool is_whole = n_keys - 1 == std::numeric_limits<Label>::max();
        std::size_t done = 0;
        for (std::size_t stop = n_keys; done < n_labels; stop *= 2) {
            stop = std::min(stop, n_labels);
            const auto note = [marks = &is_present[0]](std::size_t, Label at) { marks[at] = true; };
            for_each_item(labels + done, stop - done, lowest, n_keys, note, [&](Label label) { ids.id_for(label); });
            done = stop;
            if (is_whole && std::find(is_present.begin(), is_present.end(), false) == is_present.end()) break;
        }
        put_in_front(lowest, is_present, nullptr, nullptr);
    }

    void tally_counts(const Label* labels, std::size_t n_labels, Label lowest, std::size_t n_keys) {
        ZeroedArray<std::int64_t> count_of(n_keys);
        const auto count_other = [&](Label label) { count(ids.id_for(label), nowhere); };
        const std::size_t done = tally_in_words(labels, n_labels, &count_of[0]);
        labels += done, n_labels -= done;
        if (done == 0 && n_labels < 4 * n_keys && is_coarse(labels, n_labels)) {
            const auto count_one = [to = &count_of[0]](std::size_t, Label at) { ++to[apart(at)]; };
            for_each_item(labels, n_labels, lowest, n_keys, count_one, count_other);
            for (std::size_t at = 0; at < n_keys; ++at) {
                const std::size_t counted = apart(static_cast<Label>(at));
                if (counted < at) std::swap(count_of[at], count_of[counted]);
            }
        } else if (n_labels < 4 * n_keys) {  // not worth another table
            const auto count_one = [to = &count_of[0]](std::size_t, Label at) { ++to[at]; };
            for_each_item(labels, n_labels, lowest, n_keys, count_one, count_other);
        } else if constexpr (sizeof(Label) == 1) {
            tally<std::uint32_t, 4>(labels, n_labels, lowest, &count_of[0], n_keys, count_other);
        } else if (sizeof(Label) > 2 && n_keys <= first_level_keys) {
            tally<std::uint16_t, 1>(labels, n_labels, lowest, &count_of[0], n_keys, count_other);
        } else {
            tally<std::uint32_t, 1>(labels, n_labels, lowest, &count_of[0], n_keys, count_other);
        }
        put_in_front(lowest, count_of, count_of.begin(), nullptr);
    }

    // In C order, without counts.
    void tally_first(const Label* labels, std::size_t n_labels, Label lowest, std::size_t n_keys) {
        ZeroedArray<std::int64_t> first_of(n_keys);  // and 1, so that 0 is none
        std::int64_t* const first_to = &first_of[0];
        for (std::size_t i = n_labels; i > 0; --i) {  // backward: what is written last stays, and nothing is read
            const auto at = static_cast<Label>(labels[i - 1] - lowest);
            if (at < n_keys) [[likely]] {
                first_to[at] = static_cast<std::int64_t>(i);
            } else {
                count(ids.id_for(labels[i - 1]), static_cast<std::int64_t>(i));
            }
        }
        put_in_front(lowest, first_of, nullptr, first_of.begin());
        for (std::int64_t& index : first) --index;
    }

    // In Fortran order, without counts.
    void tally_first_by_lines(const Label* labels, const std::int64_t* shape, int ndim, Label lowest,
                              std::size_t n_keys) {
        ZeroedArray<std::int64_t> first_of(n_keys);  // and 1, so that 0 is none
        const auto add = [&](std::int64_t line, std::int64_t n, std::int64_t start, std::int64_t step) {
            const Label* items = labels + line;
            std::int64_t* const first_to = &first_of[0];  // what is captured would be read anew after each write
            const Label from = lowest;
            const std::size_t n_places = n_keys;
            for (std::int64_t i = 0; i < n; ++i, start += step) {
                const auto at = static_cast<Label>(items[i] - from);
                if (at < n_places) [[likely]] {
                    // Always written: whether an index is the least so far is hard to predict. None counts as 2^64 - 1.
                    const std::uint64_t least = static_cast<std::uint64_t>(first_to[at]) - 1;
                    first_to[at] = static_cast<std::int64_t>(std::min(least, static_cast<std::uint64_t>(start)) + 1);
                } else {
                    count(ids.id_for(items[i]), start + 1);
                }
            }
        };
        for_each_line(shape, ndim, true, add);
        put_in_front(lowest, first_of, nullptr, first_of.begin());
        for (std::int64_t& index : first) --index;
    }

    void tally_with_first(const Label* labels, const std::int64_t* shape, int ndim, bool fortran, Label lowest,
                          std::size_t n_keys) {
        ZeroedArray<std::int64_t> count_of(n_keys);
        std::vector<std::int64_t> first_of(n_keys, nowhere);
        const auto add = [&](std::int64_t line, std::int64_t n, std::int64_t start, std::int64_t step) {
            const Label* items = labels + line;
            std::int64_t* const counts_to = &count_of[0];  // what is captured would be read anew after each write
            std::int64_t* const first_to = first_of.data();
            const Label from = lowest;
            const std::size_t n_places = n_keys;
            for (std::int64_t i = 0; i < n; ++i) {
                const auto at = static_cast<Label>(items[i] - from);
                if (at < n_places) [[likely]] {
                    // In C order the first index is that of the first count, and need not be looked at again.
                    if (counts_to[at]++ == 0 || (fortran && start + i * step < first_to[at])) [[unlikely]]
                        first_to[at] = start + i * step;
                } else {
                    count(ids.id_for(items[i]), start + i * step);
                }
            }
        };
        for_each_line(shape, ndim, fortran, add);
        put_in_front(lowest, count_of, count_of.begin(), first_of.data());
    }

    // The labels of a sorted array, each once, and their counts unless that is null; `out` may be the array.
    static std::size_t collapse(const Label* sorted, std::size_t n_labels, Label* out, std::int64_t* counts_out) {
        Runs<Label> runs;
        std::size_t n_found = 0;
        for_each_piece(0, n_labels, [&](std::size_t offset, std::size_t length) {
            runs.split(sorted + offset, length);
            // The first run may go on one that an earlier piece began.
            const std::size_t known = n_found > 0 && runs.keys[0] == out[n_found - 1];
            if (counts_out) {
                if (known) counts_out[n_found - 1] += static_cast<std::int64_t>(runs.length_of(0));
                for (std::size_t run = known; run < runs.n; ++run)
                    counts_out[n_found + run - known] = static_cast<std::int64_t>(runs.length_of(run));
            }
            std::copy(runs.keys + known, runs.keys + runs.n, out + n_found);
            n_found += runs.n - known;
            return true;
        });
        return n_found;
    }

   private:
    // Whether labels of two bytes have their low bits in common, so that their counts would lie in few sets of the cache.
    static bool is_coarse(const Label* labels, std::size_t n_labels) {
        Label differing = 0;
        for (std::size_t i = 0; sizeof(Label) == 2 && i < n_labels; ++i) differing |= labels[i] ^ labels[0];
        return sizeof(Label) == 2 && differing % 64 == 0;
    }

    // Where such a label is counted: its high bits are mixed in. What is done twice is undone.
    static Label apart(Label at) { return static_cast<Label>(at ^ at >> 8); }

    void count_runs(Runs<Label>& runs, TableFor<Label, id_of<Label>>& count_of) {
        runs.join();
        const Label* const keys = runs.keys;
        std::uint32_t elsewhere[piece_size];
        const auto length_of = [&](std::size_t run) { return static_cast<id_of<Label>>(runs.length_of(run)); };
        const std::size_t n_elsewhere = count_of.add(keys, runs.n, elsewhere, length_of);
        for (std::size_t i = 0; i < n_elsewhere; ++i) {
            const Label label = keys[elsewhere[i]];
            bool inserted;
            count_of.find_or_insert(label, 0, inserted) += length_of(elsewhere[i]);
            if (inserted) ids.labels.push_back(label);
        }
    }

    void add_piece(const Runs<Label>& runs, std::int64_t start, std::int64_t step) {
        id_of<Label> id_of_run[piece_size];
        ids.ids_for(runs, id_of_run);
        make_room();
        std::int64_t* const counts_to = counts.data();
        std::int64_t* const first_to = first.data();
        for (std::size_t run = 0; run < runs.n; ++run) {
            const auto id = id_of_run[run];
            counts_to[id] += static_cast<std::int64_t>(runs.length_of(run));
            first_to[id] = std::min(first_to[id], start + static_cast<std::int64_t>(runs.first_of(run)) * step);
        }
    }

    void make_room() {
        counts.resize(ids.labels.size(), 0);
        first.resize(ids.labels.size(), nowhere);
    }

    void count(std::size_t id, std::int64_t index) {
        make_room();
        ++counts[id];
        first[id] = std::min(first[id], index);
    }

    // Puts the labels of a range for which `is_there` is not 0, and what is known of them, before the others.
    template <class Mark>
    void put_in_front(Label lowest, const ZeroedArray<Mark>& is_there, const std::int64_t* count_of,
                      const std::int64_t* first_of) {
        std::vector<Label> labels(is_there.size());
        std::size_t n = 0;
        for (std::size_t at = 0; at < is_there.size(); ++at) {  // whether a label is there is hard to predict
            labels[n] = static_cast<Label>(lowest + at);
            n += is_there[at] != 0;
        }
        labels.resize(n);
        const auto known = [&](const std::int64_t* of) {
            std::vector<std::int64_t> values(of ? n : 0);
            for (std::size_t i = 0; i < values.size(); ++i) values[i] = of[static_cast<Label>(labels[i] - lowest)];
            return values;
        };
        std::vector<std::int64_t> range_counts = known(count_of), range_first = known(first_of);
        const auto append = [](auto& front, auto& back) {
            front.insert(front.end(), back.begin(), back.end());
            back = std::move(front);
        };
        append(labels, ids.labels);
        append(range_counts, counts);
        append(range_first, first);
    }
};

}  // namespace fastremap
