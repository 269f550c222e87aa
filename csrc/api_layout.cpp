#include "api.hpp"
#include "ipt.hpp"

namespace fastremap::api {

void reverse_axes(void* items, const std::size_t* shape, std::size_t n_axes, std::size_t item_nbytes) {
    ipt::reverse_axes(items, shape, n_axes, item_nbytes);
}

void copy_axes(const void* from, const std::ptrdiff_t* strides, void* to, const std::size_t* shape, std::size_t n_axes,
               std::size_t item_nbytes) {
    ipt::copy_axes(from, strides, to, shape, n_axes, item_nbytes);
}

std::string layout_plan(const std::size_t* shape, std::size_t n_axes, std::size_t item_nbytes,
                        std::size_t scratch_nbytes, const std::string& processor) {
    const ipt::Processor on = processor.empty() ? ipt::this_processor()
                                                : processor == "intel" ? ipt::Processor::intel : ipt::Processor::other;
    const ipt::Plan plan = ipt::plan({shape, shape + n_axes}, item_nbytes, scratch_nbytes, on);
    return ipt::describe(plan) + "scratch " + std::to_string(ipt::scratch(plan)) + "\n";
}

}  // namespace fastremap::api
