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
                for (std::size_t run = 0; run < first_runs.n; ++run) {
                    const std::size_t at = first_runs.stop_of(run) - 1;
                    note<with_pairs>(first_piece[at], second_piece[at],
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
    template <bool with_pairs>
    void note(First label, Second partner, std::int64_t index) {
        const auto id = first_ids.id_for(label);
        if constexpr (with_pairs) {
            const auto partner_id = pairs->second_ids.id_for(partner);
            if ((id | partner_id) >> 16 >> 16) throw std::length_error("more than 2^32 labels: too many to relate");
            pairs->ids.id_for(static_cast<std::uint64_t>(id) << 32 | partner_id);
        } else {
            if (id == last_partner.size()) {
                last_partner.push_back(partner);
                last_index.push_back(index);
            } else if (index > last_index[id]) {
                last_partner[id] = partner;
                last_index[id] = index;
            }
        }
    }
};

}  // namespace fastremap
