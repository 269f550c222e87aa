#include "api.hpp"
#include "fastremap/dtype.hpp"
#include "fastremap/points.hpp"

namespace fastremap::api {

namespace {

template <class Label, class Coordinate>
class TypedPoints final : public Points {
   public:
    TypedPoints(const void* keys, const std::int64_t* counts, std::size_t n_keys)
        : points_(static_cast<const Label*>(keys), counts, n_keys) {}

    void add(const void* labels, const std::int64_t* shape, int ndim, std::int64_t first, void* points) override {
        points_.add(static_cast<const Label*>(labels), shape, ndim, first, static_cast<Coordinate*>(points));
    }

   private:
    fastremap::Points<Label, Coordinate> points_;
};

}  // namespace

std::unique_ptr<Points> make_points(std::size_t width, const void* keys, const std::int64_t* counts, std::size_t n_keys,
                                    std::size_t coordinate_width) {
    return visit_width(width, [&](auto label) -> std::unique_ptr<Points> {
        using Label = decltype(label);
        if (coordinate_width == 2) return std::make_unique<TypedPoints<Label, std::uint16_t>>(keys, counts, n_keys);
        return std::make_unique<TypedPoints<Label, std::uint32_t>>(keys, counts, n_keys);
    });
}

void keep_surface(const void* labels, std::size_t width, const std::int64_t* shape, int ndim, void* out) {
    visit_width(width, [&](auto label) {
        using Label = decltype(label);
        fastremap::keep_surface(static_cast<const Label*>(labels), shape, ndim, static_cast<Label*>(out));
    });
}

}  // namespace fastremap::api
