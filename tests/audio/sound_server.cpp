#include "tests/audio/sound_server.h"

#include <QElapsedTimer>
#include <QFile>
#include <QStandardPaths>

namespace vivavoce::tests {
namespace {

constexpr int kPatience = 15'000;

void write(const QString& path, const QByteArray& text)
{
    QFile file(path);
    if (file.open(QIODevice::WriteOnly)) {
        file.write(text);
    }
}

} // namespace

SoundServer::SoundServer() = default;

SoundServer::~SoundServer()
{
    m_server.terminate();
    if (!m_server.waitForFinished(kPatience)) {
        m_server.kill();
        m_server.waitForFinished();
    }
}

QString SoundServer::missing()
{
    for (const char* program : {"pulseaudio", "pactl"}) {
        if (QStandardPaths::findExecutable(QString::fromLatin1(program)).isEmpty()) {
            return QString::fromLatin1(program) + QStringLiteral(" is not installed");
        }
    }
    return {};
}

bool SoundServer::start(Microphone microphone)
{
    const QString home = m_folder.path();
    write(home + QStringLiteral("/asound.conf"),
        "</usr/share/alsa/alsa.conf>\npcm.!default { type pulse }\nctl.!default { type pulse }\n");
    qputenv("HOME", home.toLocal8Bit());
    qputenv("XDG_RUNTIME_DIR", home.toLocal8Bit());
    qputenv("XDG_CONFIG_HOME", home.toLocal8Bit());
    qputenv("ALSA_CONFIG_PATH", (home + QStringLiteral("/asound.conf")).toLocal8Bit());
    qunsetenv("PULSE_SERVER");

    m_microphone = microphone;
    m_arguments = QStringList{QStringLiteral("-n"), QStringLiteral("--exit-idle-time=-1"),
        QStringLiteral("--disable-shm"), QStringLiteral("--daemonize=no"), QStringLiteral("--use-pid-file=no")};
    const auto load = [&](const char* module) { m_arguments << QStringLiteral("-L") << QString::fromLatin1(module); };
    load("module-native-protocol-unix");
    load("module-null-sink sink_name=speaker rate=48000");
    if (microphone == Microphone::Loop) {
        load("module-remap-source master=speaker.monitor source_name=mic");
    } else if (microphone == Microphone::Apart) {
        load("module-null-sink sink_name=into-mic rate=48000");
        load("module-remap-source master=into-mic.monitor source_name=mic");
    }
    return launch();
}

bool SoundServer::restart()
{
    m_server.kill();
    m_server.waitForFinished(kPatience);
    return launch();
}

bool SoundServer::launch()
{
    m_server.setProcessEnvironment(QProcessEnvironment::systemEnvironment());
    m_server.setStandardErrorFile(m_folder.path() + QStringLiteral("/pulseaudio.log"));
    m_server.start(QStringLiteral("pulseaudio"), m_arguments);
    if (!m_server.waitForStarted(kPatience)) {
        return false;
    }
    QElapsedTimer since;
    since.start();
    while (since.elapsed() < kPatience && m_server.state() == QProcess::Running) {
        if (control({QStringLiteral("info")}).contains("Server Name")) {
            control({QStringLiteral("set-default-sink"), QStringLiteral("speaker")});
            if (m_microphone != Microphone::None) {
                control({QStringLiteral("set-default-source"), QStringLiteral("mic")});
            }
            return true;
        }
    }
    return false;
}

void SoundServer::unplugMicrophone()
{
    control({QStringLiteral("unload-module"), QStringLiteral("module-remap-source")});
}

void SoundServer::plugMicrophone()
{
    control({QStringLiteral("load-module"), QStringLiteral("module-remap-source"), QStringLiteral("source_name=mic"),
        m_microphone == Microphone::Loop ? QStringLiteral("master=speaker.monitor")
                                         : QStringLiteral("master=into-mic.monitor")});
    control({QStringLiteral("set-default-source"), QStringLiteral("mic")});
}

void SoundServer::plugSecond()
{
    m_second = {control({QStringLiteral("load-module"), QStringLiteral("module-null-sink"),
                    QStringLiteral("sink_name=second"), QStringLiteral("rate=48000")}),
        control({QStringLiteral("load-module"), QStringLiteral("module-remap-source"),
            QStringLiteral("source_name=second-mic"), QStringLiteral("master=second.monitor")})};
}

void SoundServer::unplugSecond()
{
    while (!m_second.isEmpty()) {
        control({QStringLiteral("unload-module"), QString::fromLatin1(m_second.takeLast().trimmed())});
    }
}

void SoundServer::makeDefault(const char* loudspeaker, const char* microphone)
{
    control({QStringLiteral("set-default-sink"), QString::fromLatin1(loudspeaker)});
    control({QStringLiteral("set-default-source"), QString::fromLatin1(microphone)});
}

void SoundServer::unplugLoudspeaker()
{
    control({QStringLiteral("load-module"), QStringLiteral("module-null-source"), QStringLiteral("source_name=quiet")});
    control({QStringLiteral("set-default-source"), QStringLiteral("quiet")});
    control({QStringLiteral("unload-module"), QStringLiteral("module-null-sink")});
}

void SoundServer::plugLoudspeaker()
{
    control({QStringLiteral("load-module"), QStringLiteral("module-null-sink"), QStringLiteral("sink_name=speaker"),
        QStringLiteral("rate=48000")});
    control({QStringLiteral("set-default-sink"), QStringLiteral("speaker")});
    plugMicrophone();
    control({QStringLiteral("unload-module"), QStringLiteral("module-null-source")});
}

QByteArray SoundServer::placeOf(const char* streams, const char* places)
{
    const auto list = [this](const char* what) {
        return control({QStringLiteral("list"), QStringLiteral("short"), QString::fromLatin1(what)}).split('\n');
    };
    for (const QByteArray& stream : list(streams)) {
        const QByteArrayList fields = stream.split('\t');
        // A module's stream has no client.
        if (fields.size() < 3 || fields[2] == "-") {
            continue;
        }
        for (const QByteArray& place : list(places)) {
            if (place.startsWith(fields[1] + '\t')) {
                return place.split('\t').value(1);
            }
        }
    }
    return {};
}

QByteArray SoundServer::playsOn()
{
    return placeOf("sink-inputs", "sinks");
}

QByteArray SoundServer::capturesFrom()
{
    return placeOf("source-outputs", "sources");
}

QByteArray SoundServer::control(const QStringList& arguments)
{
    QProcess pactl;
    pactl.start(QStringLiteral("pactl"), arguments);
    pactl.waitForFinished(kPatience);
    return pactl.readAllStandardOutput();
}

QProcessEnvironment SoundServer::environment() const
{
    return QProcessEnvironment::systemEnvironment();
}

} // namespace vivavoce::tests
