#include "api.hpp"
#include "fastremap/dtype.hpp"
#include "fastremap/renumber.hpp"

namespace fastremap::api {

namespace {

template <class Label>
class TypedNumbering final : public Numbering {
   public:
    TypedNumbering(bool keep_zero, const Choice& choice) : numbering_(keep_zero, choice) {}

    std::size_t run(const void* labels, std::size_t begin, std::size_t n_labels, void* out, std::size_t out_width,
                    void* also, std::uint64_t first_id, std::size_t max_labels) override {
        return visit_width(out_width, [&](auto id) {
            return numbering_.run(static_cast<const Label*>(labels), begin, n_labels, static_cast<decltype(id)*>(out),
                                  static_cast<Label*>(also), first_id, max_labels);
        });
    }

    std::size_t size() const override { return numbering_.ids.labels.size(); }

    void copy_labels(void* out) const override {
        std::copy(numbering_.ids.labels.begin(), numbering_.ids.labels.end(), static_cast<Label*>(out));
    }

   private:
    fastremap::Numbering<Label> numbering_;
};

}  // namespace

std::unique_ptr<Numbering> make_numbering(std::size_t width, bool keep_zero, const Choice& choice) {
    return visit_width(width, [&](auto label) -> std::unique_ptr<Numbering> {
        return std::make_unique<TypedNumbering<decltype(label)>>(keep_zero, choice);
    });
}

}  // namespace fastremap::api
