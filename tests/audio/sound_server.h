#pragma once

#include <QByteArray>
#include <QByteArrayList>
#include <QProcess>
#include <QString>
#include <QStringList>
#include <QTemporaryDir>

namespace vivavoce::tests {

/// A PulseAudio of the test's own: a loudspeaker "speaker" that nobody hears, and microphones that are made of it or of another
/// null sink. Its programs and those of this process find no other one.
/// Lifetime: ends with the object.
class SoundServer {
public:
    /// What the microphone hears.
    enum class Microphone {
        /// What the loudspeaker plays.
        Loop,
        /// What is played to the sink "into-mic".
        Apart,
        /// There is none.
        None,
    };

    SoundServer();
    ~SoundServer();
    SoundServer(const SoundServer&) = delete;
    SoundServer& operator=(const SoundServer&) = delete;

    /// Why it cannot be had on this machine; empty otherwise.
    [[nodiscard]] static QString missing();
    /// False: it did not come up.
    [[nodiscard]] bool start(Microphone microphone);
    /// As if it had crashed and been started again.
    [[nodiscard]] bool restart();
    /// There are no microphones from here on; only what the loudspeaker plays could be captured.
    void unplugMicrophone();
    /// And one again.
    void plugMicrophone();
    /// Another loudspeaker with a microphone that hears it; what was the default stays it. `unplug` takes them away.
    void plugSecond();
    void unplugSecond();
    void makeDefault(const char* loudspeaker, const char* microphone);
    /// There is no loudspeaker from here on, and a microphone that hears nothing. And as it was.
    void unplugLoudspeaker();
    void plugLoudspeaker();
    /// The names of what this process' streams run on: where they play, or what they capture. Empty: there is none.
    [[nodiscard]] QByteArray playsOn();
    [[nodiscard]] QByteArray capturesFrom();
    /// "pactl …"; its output.
    QByteArray control(const QStringList& arguments);
    /// For other programs.
    [[nodiscard]] QProcessEnvironment environment() const;

private:
    [[nodiscard]] bool launch();
    [[nodiscard]] QByteArray placeOf(const char* streams, const char* places);

    QTemporaryDir m_folder;
    QStringList m_arguments;
    Microphone m_microphone = Microphone::None;
    /// Modules, the youngest last.
    QByteArrayList m_second;
    QProcess m_server;
};

} // namespace vivavoce::tests
