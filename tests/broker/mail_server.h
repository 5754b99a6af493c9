#pragma once

#include "core/base/base64.h"
#include "net/server.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <atomic>
#include <istream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vivavoce::tests {

/// A mail server on this computer, line by line: STARTTLS and AUTH PLAIN where there are files for TLS. One connection at a time.
class MailServer {
public:
    struct Received {
        std::string from;
        std::vector<std::string> to;
        std::string login;
        std::string message;
        bool isEncrypted = false;
    };

    explicit MailServer(const net::TlsFiles& tls = {})
        : m_hasTls(!tls.certificateChain.empty()),
          m_acceptor(m_context, {boost::asio::ip::make_address("127.0.0.1"), 0})
    {
        if (m_hasTls) {
            m_tls.use_certificate_chain_file(tls.certificateChain);
            m_tls.use_private_key_file(tls.privateKey, boost::asio::ssl::context::pem);
        }
        m_port = m_acceptor.local_endpoint().port();
        m_thread = std::thread([this] { run(); });
    }
    ~MailServer()
    {
        m_isStopping = true;
        boost::system::error_code ignored;
        boost::asio::ip::tcp::socket knock(m_context);
        knock.connect({boost::asio::ip::make_address("127.0.0.1"), m_port}, ignored);
        m_thread.join();
    }
    MailServer(const MailServer&) = delete;
    MailServer& operator=(const MailServer&) = delete;

    [[nodiscard]] std::string address(const char* host = "127.0.0.1") const
    {
        return std::string(host) + ":" + std::to_string(m_port);
    }
    /// What it says to whoever names a recipient.
    void answerRecipients(std::string answer)
    {
        const std::lock_guard lock(m_mutex);
        m_answer = std::move(answer);
    }
    [[nodiscard]] std::vector<Received> mails() const
    {
        const std::lock_guard lock(m_mutex);
        return m_mails;
    }

private:
    using Socket = boost::asio::ip::tcp::socket;

    void run()
    {
        while (!m_isStopping) {
            boost::system::error_code error;
            Socket socket(m_context);
            m_acceptor.accept(socket, error);
            if (!error && !m_isStopping) {
                try {
                    serve(socket);
                } catch (const boost::system::system_error&) {
                    // It went away.
                }
            }
        }
    }

    void serve(Socket& socket)
    {
        say(socket, "220 here ESMTP");
        if (!talk(socket, false)) {
            return;
        }
        boost::asio::ssl::stream<Socket&> secure(socket, m_tls);
        secure.handshake(boost::asio::ssl::stream_base::server);
        static_cast<void>(talk(secure, true));
    }

    /// True: it goes on with TLS.
    template <typename Stream>
    bool talk(Stream& stream, bool isEncrypted)
    {
        boost::asio::streambuf buffer;
        Received mail;
        mail.isEncrypted = isEncrypted;
        while (true) {
            const std::string line = read(stream, buffer);
            const std::string verb = line.substr(0, 4);
            if (verb == "EHLO") {
                say(stream,
                    std::string("250-here\r\n") + (m_hasTls && !isEncrypted ? "250-STARTTLS\r\n" : "250-AUTH PLAIN\r\n")
                        + "250 8BITMIME");
            } else if (verb == "STAR") {
                say(stream, "220 go ahead");
                return true;
            } else if (verb == "AUTH") {
                std::string answer = line.substr(line.rfind(' ') + 1);
                if (answer == "PLAIN") {
                    say(stream, "334 ");
                    answer = read(stream, buffer);
                }
                const auto login = core::decodeBase64(answer);
                mail.login = login ? std::string(login->begin(), login->end()) : std::string();
                say(stream, mail.login.ends_with("right") ? "235 welcome" : "535 no");
            } else if (verb == "MAIL") {
                mail.from = line;
                say(stream, "250 ok");
            } else if (verb == "RCPT") {
                mail.to.push_back(line);
                const std::lock_guard lock(m_mutex);
                say(stream, m_answer);
            } else if (verb == "DATA") {
                say(stream, "354 go on");
                for (std::string more = read(stream, buffer); more != "."; more = read(stream, buffer)) {
                    mail.message += more + "\n";
                }
                {
                    const std::lock_guard lock(m_mutex);
                    m_mails.push_back(mail);
                }
                say(stream, "250 taken");
            } else {
                say(stream, "221 bye");
                return false;
            }
        }
    }

    template <typename Stream>
    static void say(Stream& stream, const std::string& line)
    {
        boost::asio::write(stream, boost::asio::buffer(line + "\r\n"));
    }
    template <typename Stream>
    static std::string read(Stream& stream, boost::asio::streambuf& buffer)
    {
        boost::asio::read_until(stream, buffer, "\r\n");
        std::istream in(&buffer);
        std::string line;
        std::getline(in, line);
        line.pop_back();
        return line;
    }

    const bool m_hasTls;
    boost::asio::io_context m_context;
    boost::asio::ssl::context m_tls{boost::asio::ssl::context::tls_server};
    boost::asio::ip::tcp::acceptor m_acceptor;
    std::uint16_t m_port = 0;
    std::atomic<bool> m_isStopping{false};
    mutable std::mutex m_mutex;
    std::string m_answer = "250 ok";
    std::vector<Received> m_mails;
    std::thread m_thread;
};

} // namespace vivavoce::tests
