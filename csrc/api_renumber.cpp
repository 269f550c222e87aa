#include "api.hpp"
#include "fastremap/dtype.hpp"
#include "fastremap/renumber.hpp"
#include "fastremap/renumber_parts.hpp"

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

    const void* labels() override { return numbering_.labels(); }

   private:
    Numbered numbering_;
};

template <class Label, class Numbered>
std::unique_ptr<Numbering> erase_type(Numbered numbering) {
    return std::make_unique<TypedNumbering<Label, Numbered>>(std::move(numbering));
}

}  // namespace

std::unique_ptr<Numbering> make_numbering(std::size_t width, std::size_t n_labels, bool keep_zero,
                                          const Choice& choice) {
    // A label that comes again costs as much as one that is looked up.
    const bool are_most = 2 * choice.n_distinct >= static_cast<double>(n_labels);
    const bool by_parts = choice.strategy == Strategy::sort && are_most;
    return visit_width(width, [&](auto label) {
        using Label = decltype(label);
        return by_parts && n_labels < NumberingByParts<Label>::max_items
                   ? erase_type<Label>(NumberingByParts<Label>(keep_zero))
                   : erase_type<Label>(fastremap::Numbering<Label>(keep_zero, choice));
    });
}

}  // namespace fastremap::api
