#include "api.hpp"
#include "fastremap/dtype.hpp"
#include "fastremap/remap.hpp"

namespace fastremap::api {

namespace {

template <class Label, class Out>
class TypedLookup final : public Lookup {
   public:
    TypedLookup(const Label* keys, const Out* values, std::size_t n_keys, std::size_t n_labels)
        : lookup_(keys, values, n_keys, n_labels) {}

    std::size_t apply(const void* labels, std::size_t n_labels, void* out, Missing missing, std::uint64_t fill,
                      Strategy strategy) const override {
        return lookup_.apply(static_cast<const Label*>(labels), n_labels, static_cast<Out*>(out), missing,
                             static_cast<Out>(fill), strategy);
    }

   private:
    fastremap::Lookup<Label, Out> lookup_;
};

}  // namespace

std::unique_ptr<Lookup> make_lookup(const void* keys, std::size_t width, const void* values, std::size_t out_width,
                                    std::size_t n_keys, std::size_t n_labels) {
    return visit_width(width, [&](auto label) {
        return visit_width(out_width, [&](auto value) -> std::unique_ptr<Lookup> {
            using Label = decltype(label);
            using Out = decltype(value);
            return std::make_unique<TypedLookup<Label, Out>>(static_cast<const Label*>(keys),
                                                             static_cast<const Out*>(values), n_keys, n_labels);
        });
    });
}

void take(void* labels, std::size_t width, std::size_t n_labels, const void* values, std::size_t n_values) {
    visit_width(width, [&](auto label) {
        using Label = decltype(label);
        fastremap::take(static_cast<Label*>(labels), n_labels, static_cast<const Label*>(values), n_values);
    });
}

}  // namespace fastremap::api
