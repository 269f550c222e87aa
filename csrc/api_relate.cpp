#include "api.hpp"
#include "fastremap/dtype.hpp"
#include "fastremap/relate.hpp"

namespace fastremap::api {

namespace {

template <class First, class Second>
class TypedRelation final : public Relation {
   public:
    explicit TypedRelation(bool with_pairs) : relation_(with_pairs) {}

    void add(const void* first, const void* second, const std::int64_t* shape, int ndim, bool fortran) override {
        const auto* of_first = static_cast<const First*>(first);
        const auto* of_second = static_cast<const Second*>(second);
        if (relation_.pairs) return relation_.template add<true>(of_first, of_second, shape, ndim, fortran);
        relation_.template add<false>(of_first, of_second, shape, ndim, fortran);
    }

    std::size_t n_first() const override { return relation_.first_ids.labels.size(); }
    std::size_t n_pairs() const override { return relation_.pairs->ids.labels.size(); }
    void copy_first(void* out) const override { copy(relation_.first_ids.labels, static_cast<First*>(out)); }
    void copy_last_partner(void* out) const override { copy(relation_.last_partner, static_cast<Second*>(out)); }
    void copy_pairs(void* first_out, void* second_out) const override {
        relation_.copy_pairs(static_cast<First*>(first_out), static_cast<Second*>(second_out));
    }

   private:
    template <class Item>
    static void copy(const std::vector<Item>& items, Item* out) {
        std::copy(items.begin(), items.end(), out);
    }

    fastremap::Relation<First, Second> relation_;
};

}  // namespace

std::unique_ptr<Relation> make_relation(std::size_t first_width, std::size_t second_width, bool with_pairs) {
    return visit_width(first_width, [&](auto first) {
        return visit_width(second_width, [&](auto second) -> std::unique_ptr<Relation> {
            return std::make_unique<TypedRelation<decltype(first), decltype(second)>>(with_pairs);
        });
    });
}

}  // namespace fastremap::api
