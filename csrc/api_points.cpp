#include "api.hpp"
#include "fastremap/dtype.hpp"
#include "fastremap/points.hpp"

namespace fastremap::api {

void scatter_points(const void* labels, std::size_t width, const std::int64_t* shape, int ndim, const void* keys,
                    std::size_t n_keys, std::int64_t* cursors, void* points, std::size_t coordinate_width) {
    visit_width(width, [&](auto label) {
        using Label = decltype(label);
        const auto scatter = [&](auto* typed_points) {
            fastremap::scatter_points(static_cast<const Label*>(labels), shape, ndim, static_cast<const Label*>(keys),
                                      n_keys, cursors, typed_points);
        };
        if (coordinate_width == 2) return scatter(static_cast<std::uint16_t*>(points));
        scatter(static_cast<std::uint32_t*>(points));
    });
}

void keep_surface(const void* labels, std::size_t width, const std::int64_t* shape, int ndim, void* out) {
    visit_width(width, [&](auto label) {
        using Label = decltype(label);
        fastremap::keep_surface(static_cast<const Label*>(labels), shape, ndim, static_cast<Label*>(out));
    });
}

}  // namespace fastremap::api
