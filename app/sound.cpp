#include "app/sound.h"

namespace vivavoce::app {
namespace {

/// A computer without sound: honest about it.
class NoSound final : public Sound, core::VoiceIo, core::VoiceControls, core::DeviceCatalog {
public:
    explicit NoSound(core::Executor& executor) : m_executor(executor) {}

    [[nodiscard]] core::VoiceIo& voice() override { return *this; }
    [[nodiscard]] core::VoiceControls& controls() override { return *this; }
    [[nodiscard]] core::DeviceCatalog& devices() override { return *this; }
    void apply(const core::Settings&) override {}

private:
    void start(core::VoiceListener& listener) override
    {
        m_listener = &listener;
        m_failure = m_executor.after(core::Milliseconds{0}, [this] {
            m_listener->voiceFailed({core::ErrorCode::SoundFailed, "no sound device", std::nullopt, {}});
        });
    }
    void stop() override { m_failure.reset(); }
    void play(std::string_view, int, std::span<const std::int16_t>) override {}
    void finishItem(std::string_view) override {}
    core::HeardAudio interrupt() override { return {}; }
    [[nodiscard]] bool isPlaying() const override { return false; }

    void setMuted(bool) override {}
    void choose(const core::DeviceChoice&) override {}
    [[nodiscard]] core::VoiceLevels takeLevels() override { return {}; }
    void setPreview(bool) override {}
    void playTestTone() override {}

    [[nodiscard]] std::vector<core::SoundDevice> devices(core::SoundDirection) const override { return {}; }
    void watch(std::function<void()>) override {}

    core::Executor& m_executor;
    core::VoiceListener* m_listener = nullptr;
    std::unique_ptr<core::Timer> m_failure;
};

} // namespace

std::unique_ptr<Sound> makeSound(core::Executor& executor, const core::Settings&)
{
    return std::make_unique<NoSound>(executor);
}

} // namespace vivavoce::app
