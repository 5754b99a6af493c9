#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

// A sanitizer keeps what was given back for a while, to find who still uses it: nothing of that is ours.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VV_MEMORY_IS_OURS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define VV_MEMORY_IS_OURS 0
#endif
#endif
#ifndef VV_MEMORY_IS_OURS
#define VV_MEMORY_IS_OURS 1
#endif

namespace vivavoce::tests {

/// KiB of this process in memory; 0 where it cannot be read.
inline long residentKiB()
{
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("VmRSS:")) {
            return std::stol(line.substr(6));
        }
    }
    return 0;
}

/// KiB that are allocated and not given back; 0 where that is not known.
inline long allocatedKiB()
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
    const struct mallinfo2 info = ::mallinfo2();
    return static_cast<long>((info.uordblks + info.hblkhd) / 1024);
#else
    return 0;
#endif
}

/// A figure that is to stay what it is, looked at again and again.
class FlatFigure {
public:
    void look(long value) { m_values.push_back(value); }
    /// Of the second fifth: what comes before is a beginning.
    [[nodiscard]] long before() const { return median(1); }
    [[nodiscard]] long after() const { return median(4); }
    [[nodiscard]] long growth() const { return after() - before(); }
    /// It has changed by less than 2 %, or less than that.
    /// Under a sanitizer that is not known, and always so.
    [[nodiscard]] bool isFlat(long leeway) const
    {
        return VV_MEMORY_IS_OURS == 0 || std::abs(growth()) <= std::max(before() / 50, leeway);
    }

private:
    [[nodiscard]] long median(std::size_t fifth) const
    {
        const auto size = static_cast<std::ptrdiff_t>(m_values.size() / 5);
        if (size == 0) {
            return 0;
        }
        const auto begin = m_values.begin() + static_cast<std::ptrdiff_t>(fifth) * size;
        std::vector<long> part(begin, begin + size);
        std::sort(part.begin(), part.end());
        return part[part.size() / 2];
    }

    std::vector<long> m_values;
};

} // namespace vivavoce::tests
