#include "api.hpp"
#include "fastremap/dtype.hpp"
#include "fastremap/order.hpp"

namespace fastremap::api {

void sort(const void* labels, char kind, std::size_t width, std::size_t n_labels, void* sorted) {
    visit_width(width, [&](auto label) {
        using Label = decltype(label);
        const auto label_at = [typed = static_cast<const Label*>(labels)](std::size_t i) { return typed[i]; };
        sort_labels(label_at, n_labels, kind, static_cast<Label*>(sorted));
    });
}

void sort_with_places(const void* labels, char kind, std::size_t width, std::size_t n_labels, void* sorted,
                      void* places, std::size_t place_width) {
    visit_width(width, [&](auto label) {
        using Label = decltype(label);
        const auto label_at = [typed = static_cast<const Label*>(labels)](std::size_t i) { return typed[i]; };
        const auto sort = [&](auto* to) {
            fastremap::sort_with_places(label_at, n_labels, kind, static_cast<Label*>(sorted), to);
        };
        if (place_width == 4)
            sort(static_cast<std::uint32_t*>(places));
        else
            sort(static_cast<std::uint64_t*>(places));
    });
}

}  // namespace fastremap::api
