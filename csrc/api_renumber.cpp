#include "api.hpp"
#include "fastremap/dtype.hpp"
#include "fastremap/order.hpp"
#include "fastremap/renumber.hpp"
#include "fastremap/renumber_sorted.hpp"

namespace fastremap::api {

namespace {

template <class Label, class Numbered>
class TypedNumbering final : public Numbering {
   public:
    explicit TypedNumbering(Numbered numbering) : numbering_(std::move(numbering)) {}

    std::size_t run(const void* labels, std::size_t begin, std::size_t n_labels, void* out, std::size_t out_width,
                    void* also, std::uint64_t first_id, std::size_t max_labels) override {
        return visit_width(out_width, [&](auto id) {
            return numbering_.run(static_cast<const Label*>(labels), begin, n_labels, static_cast<decltype(id)*>(out),
                                  static_cast<Label*>(also), first_id, max_labels);
        });
    }

    std::size_t size() const override { return numbering_.size(); }

    void copy_labels(void* out) const override { numbering_.copy_labels(static_cast<Label*>(out)); }

    SortedLabels sorted() override { return numbering_.sorted(); }

   private:
    Numbered numbering_;
};

template <class Label, class Numbered>
std::unique_ptr<Numbering> erase_type(Numbered numbering) {
    return std::make_unique<TypedNumbering<Label, Numbered>>(std::move(numbering));
}

}  // namespace

std::unique_ptr<Numbering> make_numbering(char kind, std::size_t width, std::size_t n_labels, bool keep_zero,
                                          const Choice& choice) {
    // A label that comes again costs as much as one that is looked up.
    const bool are_most = 2 * choice.n_distinct >= static_cast<double>(n_labels);
    const bool by_sort = choice.strategy == Strategy::sort && are_most;
    return visit_width(width, [&](auto label) {
        using Label = decltype(label);
        return by_sort && n_labels < NumberingBySort<Label>::max_items
                   ? erase_type<Label>(NumberingBySort<Label>(keep_zero, kind))
                   : erase_type<Label>(fastremap::Numbering<Label>(keep_zero, kind, choice));
    });
}

}  // namespace fastremap::api
