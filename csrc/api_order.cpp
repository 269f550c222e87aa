#include <limits>

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
                      std::int64_t* places) {
    visit_width(width, [&](auto label) {
        using Label = decltype(label);
        const auto label_at = [typed = static_cast<const Label*>(labels)](std::size_t i) { return typed[i]; };
        const auto copy = [&](const auto& items) {
            auto* to = static_cast<Label*>(sorted);
            for (const auto& item : items) *to++ = item.label, *places++ = static_cast<std::int64_t>(item.place);
        };
        if (n_labels <= std::numeric_limits<std::uint32_t>::max())
            copy(fastremap::sort_with_places<Label, std::uint32_t>(label_at, n_labels, kind));
        else
            copy(fastremap::sort_with_places<Label, std::uint64_t>(label_at, n_labels, kind));
    });
}

}  // namespace fastremap::api
