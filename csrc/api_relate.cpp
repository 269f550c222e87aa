#include "api.hpp"
#include "fastremap/dtype.hpp"
#include "fastremap/relate.hpp"

namespace fastremap::api {

namespace {

template <template <class, class> class Collected, class First, class Second>
class TypedRelation final : public Relation {
   public:
    template <class... Kinds>
    explicit TypedRelation(Kinds... kinds) : collected_(kinds...) {}

    bool add(const void* first, const void* second, const std::int64_t* shape, int ndim, bool fortran) override {
        return collected_.add(static_cast<const First*>(first), static_cast<const Second*>(second), shape, ndim,
                              fortran);
    }
    std::size_t size() const override { return collected_.pairs().size(); }
    void copy(void* first_out, void* second_out) const override {
        auto* firsts = static_cast<First*>(first_out);
        auto* seconds = static_cast<Second*>(second_out);
        for (const auto& pair : collected_.pairs()) *firsts++ = pair.first, *seconds++ = pair.second;
    }

   private:
    Collected<First, Second> collected_;
};

template <template <class, class> class Collected, class... Kinds>
std::unique_ptr<Relation> make(std::size_t first_width, std::size_t second_width, Kinds... kinds) {
    return visit_width(first_width, [&](auto first) {
        return visit_width(second_width, [&](auto second) -> std::unique_ptr<Relation> {
            return std::make_unique<TypedRelation<Collected, decltype(first), decltype(second)>>(kinds...);
        });
    });
}

}  // namespace

std::unique_ptr<Relation> make_partners(std::size_t first_width, std::size_t second_width, char first_kind) {
    return make<Partners>(first_width, second_width, first_kind);
}

std::unique_ptr<Relation> make_pairs(std::size_t first_width, std::size_t second_width, char first_kind,
                                     char second_kind) {
    return make<Pairs>(first_width, second_width, first_kind, second_kind);
}

}  // namespace fastremap::api
