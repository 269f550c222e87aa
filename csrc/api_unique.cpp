#include "api.hpp"
#include "fastremap/dtype.hpp"
#include "fastremap/unique.hpp"

namespace fastremap::api {

namespace {

template <class Label>
class TypedDistinct final : public Distinct {
   public:
    TypedDistinct(bool with_counts, bool with_first) : with_counts_(with_counts), with_first_(with_first) {}

    void add(const void* labels, const std::int64_t* shape, int ndim, bool fortran, const Choice& choice) override {
        const auto* typed = static_cast<const Label*>(labels);
        const auto n_labels = static_cast<std::size_t>(n_items_of(shape, ndim));
        const auto lowest = static_cast<Label>(choice.lowest);
        const bool only_first = with_first_ && !with_counts_;
        if (choice.strategy != Strategy::dense) {
            if (only_first && !fortran) return distinct_.template add_labels<true>(typed, n_labels);
            if (with_first_) return distinct_.add_with_first(typed, shape, ndim, fortran);
            if (with_counts_) return distinct_.add_with_counts(typed, n_labels);
            return distinct_.template add_labels<false>(typed, n_labels);
        }
        if (only_first && fortran)
            return distinct_.tally_first_by_lines(typed, shape, ndim, lowest, choice.n_keys);
        if (only_first) return distinct_.tally_first(typed, n_labels, lowest, choice.n_keys);
        if (with_first_) return distinct_.tally_with_first(typed, shape, ndim, fortran, lowest, choice.n_keys);
        if (with_counts_) return distinct_.tally_counts(typed, n_labels, lowest, choice.n_keys);
        distinct_.tally_labels_only(typed, n_labels, lowest, choice.n_keys);
    }

    std::size_t size() const override { return distinct_.ids.labels.size(); }

    void copy_labels(void* out) const override {
        std::copy(distinct_.ids.labels.begin(), distinct_.ids.labels.end(), static_cast<Label*>(out));
    }

    void copy_counts(std::int64_t* out) const override {
        std::copy(distinct_.counts.begin(), distinct_.counts.end(), out);
    }

    void copy_first(std::int64_t* out) const override {
        std::copy(distinct_.first.begin(), distinct_.first.end(), out);
    }

   private:
    bool with_counts_, with_first_;
    fastremap::Distinct<Label> distinct_;
};

}  // namespace

Choice choose(const void* labels, std::size_t width, std::size_t n_labels) {
    return visit_width(width, [&](auto label) {
        return fastremap::choose(static_cast<const decltype(label)*>(labels), n_labels);
    });
}

std::unique_ptr<Distinct> make_distinct(std::size_t width, bool with_counts, bool with_first) {
    return visit_width(width, [&](auto label) -> std::unique_ptr<Distinct> {
        return std::make_unique<TypedDistinct<decltype(label)>>(with_counts, with_first);
    });
}

std::size_t collapse(void* sorted, std::size_t width, std::size_t n_labels, std::int64_t* counts) {
    return visit_width(width, [&](auto label) {
        auto* typed = static_cast<decltype(label)*>(sorted);
        return fastremap::Distinct<decltype(label)>::collapse(typed, n_labels, typed, counts);
    });
}

}  // namespace fastremap::api
