// Which labels of two arrays lie on the same voxels.
//
// What:       Partners collects, for every label of the first array, the label of the second that lies last in C order
//             on one of its voxels; Pairs collects all distinct pairs. Both in ascending order.
// Requires:   two contiguous arrays of one shape in the same memory order; fewer than 2^32 labels in each for pairs.
// Complexity: O(n) expected; 16 to 120 bytes a label, as many again a pair, and at most 2 MB for runs.
// Source:     own; a joint run ends where a run of either array ends, so the end bits of both are united. Few runs are
//             sorted, and tables are made only for many.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "lines.hpp"
#include "order.hpp"
#include "runs.hpp"
#include "unique.hpp"

namespace fastremap {

// What a voxel has in two arrays.
template <class First, class Second>
struct Pair {
    First first;
    Second second;

    auto operator<=>(const Pair&) const = default;
};

// Whether there are so many runs, in no order, that tables for their labels take less time than to sort them.
class AreMany {
   public:
    template <class Item, class Before>
    bool operator()(const std::vector<Item>& runs, const Before& is_before) {
        if (runs.size() <= few_) return false;
        if (!is_in_order(runs, is_before)) return true;
        few_ *= 2;
        return false;
    }

   private:
    std::size_t few_ = std::size_t{1} << 13;
};

template <class First, class Second>
class JointRuns {
   public:
    // Calls act(runs, labels of the second array, offset) for consecutive pieces until it returns false, and tells
    // whether it never did. The keys of the runs are labels of the first array.
    template <class Act>
    bool for_each_piece(const First* first, const Second* second, std::size_t n_labels, Act&& act) {
        const auto split = [&](std::size_t offset, std::size_t length) {
            runs_.split_jointly(first + offset, others_, second + offset, length);
            return act(runs_, second + offset, offset);
        };
        return fastremap::for_each_piece(0, n_labels, split) == n_labels;
    }

   private:
    Runs<First> runs_;
    Runs<Second> others_;
};

template <class First, class Second>
class Partners {
   public:
    explicit Partners(char kind) : kind_(kind) {}

    // Returns false, with nothing collected, for lines that are too short to be walked: to copy the arrays to C order
    // takes less time.
    bool add(const First* first, const Second* second, const std::int64_t* shape, int ndim, bool fortran) {
        constexpr std::int64_t shortest_line = 32;
        if (add_as_it_lies(first, second, static_cast<std::size_t>(n_items_of(shape, ndim)), !fortran)) return true;
        pairs_.clear();
        if (shape[0] < shortest_line) return false;
        add_lines(first, second, shape, ndim);
        return true;
    }

    const std::vector<Pair<First, Second>>& pairs() const { return pairs_; }

   private:
    // Of two partners of a label the later one stays, which is the last in C order only where memory is. Elsewhere the
    // result is false as soon as two are seen.
    bool add_as_it_lies(const First* first, const Second* second, std::size_t n_items, bool in_c_order) {
        JointRuns<First, Second> joint;
        AreMany are_many;
        std::optional<LabelIds<First>> ids;  // where there are many runs; then `pairs_` has a pair for each id
        bool is_sole = true;
        joint.for_each_piece(first, second, n_items, [&](const auto& runs, const Second* others, std::size_t) {
            id_of<First> id_of_run[piece_size];
            if (ids) {
                ids->ids_for(runs, id_of_run);
                if (are_noted(*ids, id_of_run, runs, others)) return true;
            }
            for (std::size_t run = 0; run < runs.n; ++run) {
                const First label = runs.keys[run];
                is_sole &= note(ids ? id_of_run[run] : last_or_new(label), {label, others[runs.stop_of(run) - 1]});
            }
            const auto is_before = [](const auto& one, const auto& other) { return one.first < other.first; };
            if (!ids && are_many(pairs_, is_before)) {
                ids.emplace();
                for (const auto& pair : std::exchange(pairs_, {})) is_sole &= note(ids->id_for(pair.first), pair);
            }
            return is_sole || in_c_order;
        });
        sort();
        if (!ids) {
            for (const auto& pair : std::exchange(pairs_, {})) is_sole &= note(last_or_new(pair.first), pair);
        }
        return is_sole || in_c_order;
    }

    // Whether the labels of all runs have a pair, and that with the partner that is here: as in most pieces.
    bool are_noted(const LabelIds<First>& ids, const id_of<First>* id_of_run, const Runs<First>& runs,
                   const Second* others) const {
        if (ids.labels.size() > pairs_.size()) return false;
        const Pair<First, Second>* const noted = pairs_.data();
        bool are_same = true;
        for (std::size_t run = 0; run < runs.n; ++run)
            are_same &= noted[id_of_run[run]].second == others[runs.stop_of(run) - 1];
        return are_same;
    }

    // Where the pair of a label is that may be the last one, or else is new.
    std::size_t last_or_new(First label) const {
        return pairs_.size() - (!pairs_.empty() && pairs_.back().first == label);
    }

    // Writes a pair to its place; false if another partner was there.
    bool note(std::size_t place, Pair<First, Second> pair) {
        if (place == pairs_.size()) pairs_.push_back(pair);
        return std::exchange(pairs_[place].second, pair.second) == pair.second;
    }

    // Fortran order: a line at a time, of which all C-order indices are known.
    void add_lines(const First* first, const Second* second, const std::int64_t* shape, int ndim) {
        JointRuns<First, Second> joint;
        LabelIds<First> ids;
        std::vector<std::int64_t> last_index;  // the greatest C-order index seen, by id
        for_each_line(shape, ndim, true, [&](std::int64_t line, std::int64_t n, std::int64_t start, std::int64_t step) {
            const auto note_last = [&](const Runs<First>& runs, const Second* others, std::size_t offset) {
                id_of<First> id_of_run[piece_size];
                ids.ids_for(runs, id_of_run);
                last_index.resize(ids.labels.size(), -1);
                for (std::size_t run = 0; run < runs.n; ++run) {
                    const std::size_t at = runs.stop_of(run) - 1;
                    const std::int64_t index = start + static_cast<std::int64_t>(offset + at) * step;
                    if (index <= last_index[id_of_run[run]]) continue;
                    note(id_of_run[run], {runs.keys[run], others[at]});
                    last_index[id_of_run[run]] = index;
                }
                return true;
            };
            joint.for_each_piece(first + line, second + line, static_cast<std::size_t>(n), note_last);
        });
        sort();
    }

    void sort() {
        sort_by(pairs_, [rank = RankOf<First>(kind_)](const auto& pair) { return rank(pair.first); });
    }

    char kind_;  // of the first labels
    std::vector<Pair<First, Second>> pairs_;
};

template <class First, class Second>
class Pairs {
   public:
    Pairs(char first_kind, char second_kind) : first_kind_(first_kind), second_kind_(second_kind) {}

    // The order in memory does not matter; returns true.
    bool add(const First* first, const Second* second, const std::int64_t* shape, int ndim, bool) {
        JointRuns<First, Second> joint;
        AreMany are_many;
        std::unique_ptr<Met> met;  // where there are many runs
        const auto n_items = static_cast<std::size_t>(n_items_of(shape, ndim));
        joint.for_each_piece(first, second, n_items, [&](const auto& runs, const Second* others, std::size_t) {
            const auto pair_of = [&](std::size_t run) {
                return Pair<First, Second>{runs.keys[run], others[runs.stop_of(run) - 1]};
            };
            if (met) {
                met->insert(runs, pair_of, [&](std::size_t run) { pairs_.push_back(pair_of(run)); });
                return true;
            }
            for (std::size_t run = 0; run < runs.n; ++run)
                if (const auto pair = pair_of(run); pairs_.empty() || pairs_.back() != pair) pairs_.push_back(pair);
            if (are_many(pairs_, std::less{})) {
                met = std::make_unique<Met>();
                std::erase_if(pairs_, [&](const auto& pair) { return !met->insert(pair); });
            }
            return true;
        });
        sort_by(pairs_, [rank = RankOf<Second>(second_kind_)](const auto& pair) { return rank(pair.second); });
        sort_by(pairs_, [rank = RankOf<First>(first_kind_)](const auto& pair) { return rank(pair.first); });
        pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
        return true;
    }

    const std::vector<Pair<First, Second>>& pairs() const { return pairs_; }

   private:
    // The pairs that were met, by the numbers of their labels.
    class Met {
       public:
        // Tells whether a pair is new.
        bool insert(const Pair<First, Second>& pair) {
            const std::uint64_t first_id = first_ids_.id_for(pair.first);
            return insert(first_id << 32 | second_ids_.id_for(pair.second));
        }

        // Calls act(run) for the runs of a piece whose pair is new.
        template <class PairOf, class Act>
        void insert(const Runs<First>& runs, const PairOf& pair_of, const Act& act) {
            first_ids_.ids_for(runs, first_id_);
            for (std::size_t run = 0; run < runs.n; ++run) second_[run] = pair_of(run).second;
            second_ids_.ids_for(second_, runs.n, second_id_);
            if (std::max(first_ids_.labels.size(), second_ids_.labels.size()) >> 16 >> 16)
                throw std::length_error("2^32 labels or more: too many to relate");
            for (std::size_t run = 0; run < runs.n; ++run)
                ids_[run] = std::uint64_t{first_id_[run]} << 32 | second_id_[run];
            std::uint32_t elsewhere[piece_size];
            const std::size_t n_elsewhere = met_.find_others(ids_, runs.n, elsewhere);
            for (std::size_t i = 0; i < n_elsewhere; ++i)
                if (insert(ids_[elsewhere[i]])) act(elsewhere[i]);
        }

       private:
        bool insert(std::uint64_t ids) {
            bool inserted;
            met_.find_or_insert(ids, Nothing{}, inserted);
            return inserted;
        }

        LabelIds<First> first_ids_;
        LabelIds<Second> second_ids_;
        Table<std::uint64_t, Nothing> met_;  // number of the first label << 32 | that of the second
        // Of the runs of a piece; what lies behind is only ever prefetched.
        id_of<First> first_id_[piece_size];
        Second second_[piece_size + slack] = {};
        id_of<Second> second_id_[piece_size];
        std::uint64_t ids_[piece_size + slack] = {};
    };

    char first_kind_, second_kind_;
    std::vector<Pair<First, Second>> pairs_;
};

}  // namespace fastremap
