# Revoke an API key with Ruby's Net::HTTP: ruby revoke.rb URL TOKEN
require "net/http"

uri, token = URI(ARGV[0]), ARGV[1]
request = Net::HTTP::Delete.new(uri)
request["Content-Type"] = "application/json"
request["Authorization"] = "Bearer #{token}"
response = Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https") { |http| http.request(request) }
puts response.body
