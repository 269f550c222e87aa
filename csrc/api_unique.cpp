#include "api.hpp"
#include "fastremap/dtype.hpp"
#include "fastremap/unique.hpp"

namespace fastremap::api {

namespace {

template <class Label>
class TypedDistinct final : public Distinct {
   public:
    explicit TypedDistinct(bool with_stats) : with_stats_(with_stats) {}

    void add(const void* labels, const std::int64_t* shape, int ndim, bool fortran) override {
        const auto* typed = static_cast<const Label*>(labels);
        if (with_stats_) return distinct_.add_with_stats(typed, shape, ndim, fortran);
        distinct_.add_labels_only(typed, static_cast<std::size_t>(n_items_of(shape, ndim)));
    }

    std::size_t size() const override { return distinct_.ids.labels.size(); }

    void copy_labels(void* out) const override {
        std::copy(distinct_.ids.labels.begin(), distinct_.ids.labels.end(), static_cast<Label*>(out));
    }

    void copy_counts(std::int64_t* out) const override {
        for (const LabelStats& of_label : distinct_.stats) *out++ = of_label.count;
    }

    void copy_first(std::int64_t* out) const override {
        for (const LabelStats& of_label : distinct_.stats) *out++ = of_label.first;
    }

   private:
    bool with_stats_;
    fastremap::Distinct<Label> distinct_;
};

}  // namespace

std::unique_ptr<Distinct> make_distinct(std::size_t width, bool with_stats) {
    return visit_width(width, [&](auto label) -> std::unique_ptr<Distinct> {
        return std::make_unique<TypedDistinct<decltype(label)>>(with_stats);
    });
}

}  // namespace fastremap::api
