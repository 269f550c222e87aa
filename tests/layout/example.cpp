// Turns an image of 640 x 480 pixels, of which x varies fastest, into one of which y varies fastest, in its own memory.
#include <cassert>
#include <cstdint>
#include <vector>

#include "ipt.hpp"

int main() {
    const std::size_t sx = 640, sy = 480;
    std::vector<std::uint32_t> image(sx * sy);
    image[100 + sx * 7] = 42;  // the pixel x = 100, y = 7

    ipt::ipt(image.data(), sx, sy);

    assert(image[7 + sy * 100] == 42);
}
