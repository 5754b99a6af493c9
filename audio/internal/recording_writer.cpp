#include "audio/internal/recording_writer.h"

#include "audio/dsp/sound_file.h"
#include "core/base/thread_role.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

namespace vivavoce::audio {
namespace {

constexpr std::size_t kSecond = RecordingBacklog::kSecond;
/// So often the file is made whole, which a disk takes its time for: nothing of a silence is lost.
constexpr std::size_t kSettleEvery = kSecond;
constexpr std::size_t kSettleSilenceEvery = 60 * kSecond;

} // namespace

RecordingWriter::RecordingWriter(std::string path, core::SoundFormat format, Callbacks callbacks, Room room)
    : m_path(std::move(path)), m_format(format), m_callbacks(std::move(callbacks)), m_room(std::move(room))
{
    m_thread = std::thread([this] { run(); });
}

RecordingWriter::~RecordingWriter()
{
    finish();
    m_thread.join();
}

void RecordingWriter::put(TwoSides::Piece piece)
{
    {
        const std::lock_guard lock(m_mutex);
        if (m_isFinished || m_isTooSlow || piece.isEmpty()) {
            return;
        }
        m_backlog.put(std::move(piece));
        m_isTooSlow = m_backlog.isTooMuch();
    }
    m_changed.notify_one();
}

void RecordingWriter::finish()
{
    {
        const std::lock_guard lock(m_mutex);
        m_isFinished = true;
    }
    m_changed.notify_one();
}

/// False: there will be none.
bool RecordingWriter::next(TwoSides::Piece& piece)
{
    std::unique_lock lock(m_mutex);
    m_changed.wait(lock, [this] { return !m_backlog.isEmpty() || m_isFinished || m_isTooSlow; });
    if (m_backlog.isEmpty() || m_isTooSlow) {
        return false;
    }
    piece = m_backlog.take();
    return true;
}

std::uintmax_t RecordingWriter::roomOf(const std::string& path)
{
    std::error_code fault;
    const auto space = std::filesystem::space(path, fault);
    return fault ? std::numeric_limits<std::uintmax_t>::max() : space.available;
}

core::Expected<void, core::Error> RecordingWriter::checkRoom() const
{
    if (m_room(m_path) < kRoomLeft) {
        return core::fail(core::ErrorCode::RecordingFailed, m_path + ": the disk is almost full");
    }
    return {};
}

core::Expected<void, core::Error> RecordingWriter::write()
{
    if (auto room = checkRoom(); !room) {
        return room;
    }
    auto file = dsp::SoundFileWriter::create(m_path, m_format, TwoSides::kRate);
    if (!file) {
        return core::Unexpected<core::Error>(file.error());
    }
    const std::vector<std::int16_t> silence(kSecond);
    std::size_t unsettled = 0;
    std::size_t unchecked = 0;
    TwoSides::Piece piece;
    core::Expected<void, core::Error> written;
    const auto add = [&](std::span<const std::int16_t> samples, std::size_t settleEvery) {
        if (unchecked += samples.size(); unchecked >= kSecond) {
            unchecked = 0;
            written = checkRoom();
        }
        if (written) {
            written = file->write(samples);
        }
        unsettled += samples.size();
        if (written && unsettled >= settleEvery) {
            file->settle();
            unsettled = 0;
        }
    };
    while (written && next(piece)) {
        for (auto left = 2 * static_cast<std::size_t>(piece.silence); written && left > 0;) {
            const std::size_t some = std::min(left, silence.size());
            add(std::span(silence).first(some), kSettleSilenceEvery);
            left -= some;
            if (some == kSecond) {
                const std::lock_guard lock(m_mutex);
                m_backlog.silenceGotOn();
            }
        }
        if (written) {
            add(piece.samples, kSettleEvery);
        }
    }
    auto closed = file->close();
    if (!written) {
        return written;
    }
    const std::lock_guard lock(m_mutex);
    if (m_isTooSlow) {
        return core::fail(core::ErrorCode::RecordingFailed, m_path + ": the disk is too slow");
    }
    return closed;
}

void RecordingWriter::run()
{
    core::threadRole() = core::ThreadRole::Disk;
    const auto written = write();
    {
        const std::lock_guard lock(m_mutex);
        m_isFinished = true;
        m_backlog.clear();
    }
    if (!written) {
        m_callbacks.failed(written.error());
    }
    m_callbacks.done();
}

} // namespace vivavoce::audio
