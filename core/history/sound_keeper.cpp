#include "core/history/sound_keeper.h"

#include <utility>

namespace vivavoce::core {

SoundKeeper::SoundKeeper(Dependencies dependencies)
    : m_deps(std::move(dependencies)), m_self(std::make_shared<SoundKeeper*>(this))
{
}

SoundKeeper::~SoundKeeper()
{
    *m_self = nullptr;
}

void SoundKeeper::want(bool isWanted, SoundFormat format)
{
    m_isWanted = isWanted;
    m_format = format;
    follow();
}

void SoundKeeper::begin(const std::string& id)
{
    m_id = id;
    m_begin = m_deps.clock.now();
    m_startsAt.reset();
    m_hasFailed = false;
    follow();
}

void SoundKeeper::end(bool isKept)
{
    if (m_id.empty()) {
        return;
    }
    const std::string id = std::exchange(m_id, {});
    ++m_number;
    setRecording(false);
    if (!m_startsAt) {
        return;
    }
    if (isKept) {
        m_deps.recorder.finish({});
        return;
    }
    m_startsAt.reset();
    // Some systems delete no file that is being written. What stays all the same is found at the next start.
    m_deps.recorder.finish([self = m_self, id] {
        if (*self != nullptr) {
            static_cast<void>((*self)->m_deps.store.dropSound(id));
        }
    });
}

void SoundKeeper::look()
{
    if (m_isRecording && !m_deps.store.hasSound(m_id)) {
        m_deps.recorder.finish({});
        m_startsAt.reset();
        start();
    }
}

void SoundKeeper::follow()
{
    if (m_id.empty() || m_hasFailed || m_isWanted == m_isRecording) {
        return;
    }
    if (!m_isWanted || m_startsAt) {
        m_deps.recorder.pause(!m_isWanted);
        setRecording(m_isWanted);
    } else {
        start();
    }
}

void SoundKeeper::start()
{
    const auto path = m_deps.store.makeSound(m_id, m_format);
    if (!path) {
        hasFailed(path.error());
        return;
    }
    m_startsAt = std::chrono::duration_cast<Milliseconds>(m_deps.clock.now() - m_begin);
    m_deps.recorder.record(*path, m_format, [self = m_self, number = ++m_number](const Error& error) {
        if (*self != nullptr && (*self)->m_number == number) {
            (*self)->hasFailed(error);
        }
    });
    setRecording(true);
}

void SoundKeeper::hasFailed(const Error& error)
{
    m_hasFailed = true;
    setRecording(false);
    m_deps.failed(error);
}

void SoundKeeper::setRecording(bool isRecording)
{
    if (std::exchange(m_isRecording, isRecording) != isRecording) {
        m_deps.changed(isRecording);
    }
}

} // namespace vivavoce::core
