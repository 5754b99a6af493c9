#include "audio/internal/playout_queue.h"

#include "audio/dsp/resampler.h"

#include <algorithm>

namespace vivavoce::audio {

PlayoutQueue::PlayoutQueue(core::Milliseconds preBuffer) : m_preBuffer(preBuffer) {}

void PlayoutQueue::useRate(core::SampleRate rate)
{
    if (rate == m_rate) {
        return;
    }
    for (Item& item : m_items) {
        scale(item, rate);
    }
    m_given = scaled(m_given, rate);
    m_starved = scaled(m_starved, rate);
    m_rate = rate;
}

std::uint64_t PlayoutQueue::scaled(std::uint64_t count, core::SampleRate rate) const
{
    return count * rate.hz() / m_rate.hz();
}

void PlayoutQueue::scale(Item& item, core::SampleRate rate) const
{
    // Rounded at the stretches' ends, which may touch: what was given out is what they hold, to the sample.
    std::size_t taken = 0;
    for (Item::Stretch& stretch : item.stretches) {
        const std::uint64_t end = scaled(stretch.begin + stretch.size, rate);
        stretch.begin = scaled(stretch.begin, rate);
        stretch.size = static_cast<std::size_t>(end - stretch.begin);
        taken += stretch.size;
    }
    const std::vector<std::int16_t> rest =
        dsp::resampled(std::span<const std::int16_t>(item.samples).subspan(item.taken), m_rate, rate);
    item.samples.assign(taken, 0);
    item.samples.insert(item.samples.end(), rest.begin(), rest.end());
    item.taken = taken;
}

void PlayoutQueue::play(std::string_view itemId, int contentIndex, std::span<const std::int16_t> samples)
{
    if (samples.empty()) {
        return;
    }
    if (m_items.empty() || m_items.back().id != itemId || m_items.back().contentIndex != contentIndex) {
        if (!m_items.empty()) {
            // What comes later belongs to another item: this one is complete.
            m_items.back().isFinished = true;
        }
        Item item;
        item.id = std::string(itemId);
        item.contentIndex = contentIndex;
        m_items.push_back(std::move(item));
    }
    Item& item = m_items.back();
    item.isFinished = false;
    item.samples.insert(item.samples.end(), samples.begin(), samples.end());
}

void PlayoutQueue::finishItem(std::string_view itemId)
{
    for (Item& item : m_items) {
        if (item.id == itemId) {
            item.isFinished = true;
        }
    }
}

void PlayoutQueue::take(std::span<std::int16_t> out)
{
    std::size_t done = 0;
    for (Item& item : m_items) {
        if (item.isThrough()) {
            continue;
        }
        done += takeFrom(item, out.subspan(done));
        if (!item.isThrough()) {
            break;
        }
    }
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(done), out.end(), std::int16_t{0});
    m_given += out.size() - done;
}

std::size_t PlayoutQueue::takeFrom(Item& item, std::span<std::int16_t> out)
{
    const std::size_t there = item.samples.size() - item.taken;
    const auto preBuffer = static_cast<std::size_t>(core::FrameCount::of(m_preBuffer, m_rate).value());
    if (item.isWaiting && !item.isFinished && there < preBuffer) {
        m_starved += item.taken > 0 ? out.size() : 0;
        return 0;
    }
    const std::size_t count = std::min(out.size(), there);
    std::copy_n(item.samples.begin() + static_cast<std::ptrdiff_t>(item.taken), count, out.begin());
    if (count > 0) {
        const bool continues =
            !item.stretches.empty() && item.stretches.back().begin + item.stretches.back().size == m_given;
        if (continues) {
            item.stretches.back().size += count;
        } else {
            item.stretches.push_back({m_given, count});
        }
    }
    item.taken += count;
    m_given += count;
    item.isWaiting = count < out.size();
    if (item.isWaiting && !item.isFinished) {
        m_starved += out.size() - count;
    }
    return count;
}

core::HeardAudio PlayoutQueue::cut(std::uint64_t heard)
{
    core::HeardAudio told = at(heard);
    m_items.clear();
    return told;
}

core::HeardAudio PlayoutQueue::at(std::uint64_t heard) const
{
    core::HeardAudio told;
    // The first that is not whole is the one at the ear; those behind it were not heard at all.
    for (const Item& item : m_items) {
        const std::size_t samples = item.heardAt(heard);
        told.itemId = item.id;
        told.contentIndex = item.contentIndex;
        told.heard = core::FrameCount{static_cast<std::int64_t>(samples)}.duration(m_rate);
        told.wasWhole = item.isThrough() && samples == item.samples.size();
        if (!told.wasWhole) {
            break;
        }
    }
    return told;
}

bool PlayoutQueue::heardUpTo(std::uint64_t heard)
{
    const bool wasPlaying = !m_items.empty();
    while (!m_items.empty() && m_items.front().isThrough()
        && m_items.front().heardAt(heard) == m_items.front().samples.size()) {
        m_items.pop_front();
    }
    return wasPlaying && m_items.empty();
}

core::Milliseconds PlayoutQueue::starved() const
{
    return core::FrameCount{static_cast<std::int64_t>(m_starved)}.duration(m_rate);
}

std::size_t PlayoutQueue::Item::heardAt(std::uint64_t position) const
{
    std::size_t heard = 0;
    for (const Stretch& stretch : stretches) {
        if (position <= stretch.begin) {
            break;
        }
        heard += static_cast<std::size_t>(std::min<std::uint64_t>(position - stretch.begin, stretch.size));
    }
    return heard;
}

} // namespace vivavoce::audio
