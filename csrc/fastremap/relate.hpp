// Which labels of two arrays lie on the same voxels.
//
// What:       Relation collects, for every label of the first array, the label of the second that lies last in C
//             order on one of its voxels; with_pairs also all distinct pairs.
// Requires:   two contiguous arrays of one shape in the same memory order; fewer than 2^32 labels in each for pairs.
// Complexity: O(n) expected; about 50 bytes a label, 32 a pair.
// Source:     own; a joint run ends where a run of either array ends, so the end bits of both are united.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <vector>

#include "lines.hpp"
#include "runs.hpp"
#include "unique.hpp"

namespace fastremap {

template <class First, class Second>
struct Relation {
    struct Pairs {
        LabelIds<Second> second_ids;
        LabelIds<std::uint64_t> ids;  // of first id << 32 | second id
    };

    LabelIds<First> first_ids;
    std::vector<Second> last_partner;      // by id of the first label
    std::vector<std::int64_t> last_index;  // the greatest C-order index seen, by id of the first label
    std::optional<Pairs> pairs;            // only with pairs, and then in place of last partners

    explicit Relation(bool with_pairs) {
        if (with_pairs) pairs.emplace();
    }

    template <bool with_pairs>
    void add(const First* first, const Second* second, const std::int64_t* shape, int ndim, bool fortran) {
        Runs<First> first_runs;
        Runs<Second> second_runs;
        const auto relate = [&](std::int64_t line, std::int64_t n, std::int64_t start, std::int64_t step) {
            for_each_piece(0, static_cast<std::size_t>(n), [&](std::size_t offset, std::size_t length) {
                const First* first_piece = first + line + offset;
                const Second* second_piece = second + line + offset;
                first_runs.split_jointly(first_piece, second_runs, second_piece, length);
                id_of<First> id_of_run[piece_size];
                first_ids.ids_for(first_runs, id_of_run);
                if constexpr (!with_pairs) make_room();
                for (std::size_t run = 0; run < first_runs.n; ++run) {
                    const std::size_t at = first_runs.stop_of(run) - 1;
                    note<with_pairs>(id_of_run[run], second_piece[at],
                                     start + static_cast<std::int64_t>(offset + at) * step);
                }
                return true;
            });
        };
        for_each_line(shape, ndim, fortran, relate);
    }

    void copy_pairs(First* first, Second* second) const {
        for (const std::uint64_t pair : pairs->ids.labels) {
            *first++ = first_ids.labels[pair >> 32];
            *second++ = pairs->second_ids.labels[static_cast<std::uint32_t>(pair)];
        }
    }

   private:
    void make_room() {
        last_partner.resize(first_ids.labels.size());
        last_index.resize(first_ids.labels.size(), -1);
    }

    template <bool with_pairs>
    void note(id_of<First> id, Second partner, std::int64_t index) {
        if constexpr (with_pairs) {
            const auto partner_id = pairs->second_ids.id_for(partner);
            if ((id | partner_id) >> 16 >> 16) throw std::length_error("more than 2^32 labels: too many to relate");
            pairs->ids.id_for(static_cast<std::uint64_t>(id) << 32 | partner_id);
        } else if (index > last_index[id]) {
            last_partner[id] = partner;
            last_index[id] = index;
        }
    }
};

}  // namespace fastremap
