"""Sixty things people write in Cantonese, and how a reader says them: written down before gsv read them.

The words are in simplified characters, as the front end has them.
"""

from spoken import Spoken

SENTENCES = (
    # Chat
    Spoken(
        "你食咗飯未呀？",
        "你食咗饭未呀?",
        "nei5 sik6 zo2 faan6 mei6 aa3",
    ),
    Spoken(
        "我而家喺公司，陣間先返屋企。",
        "我而家喺公司,阵间先返屋企.",
        "ngo5 ji4 gaa1 hai2 gung1 si1 zan6 gaan1 sin1 faan1 uk1 kei2",
    ),
    Spoken(
        "今晚去邊度食飯好呢？",
        "今晚去边度食饭好呢?",
        "gam1 maan5 heoi3 bin1 dou6 sik6 faan6 hou2 ne1",
    ),
    Spoken(
        "唔好意思，我遲咗少少。",
        "唔好意思,我迟咗少少.",
        "m4 hou2 ji3 si1 ngo5 ci4 zo2 siu2 siu2",
    ),
    Spoken(
        "係㗎，佢琴日已經走咗。",
        "系㗎,佢琴日已经走咗.",
        "hai6 gaa3 keoi5 kam4 jat6 ji5 ging1 zau2 zo2",
    ),
    Spoken(
        "😂😂笑死我喇👍",
        "笑死我喇",
        "siu3 sei2 ngo5 laa3",
    ),
    Spoken(
        "你做乜嘢咁夜都唔瞓覺？",
        "你做乜嘢咁夜都唔瞓觉?",
        "nei5 zou6 mat1 je5 gam3 je6 dou1 m4 fan3 gaau3",
    ),
    Spoken(
        "搭𨋢上去得㗎喇。",
        "搭𨋢上去得㗎喇.",
        "daap3 lip1 soeng5 heoi3 dak1 gaa3 laa3",
    ),
    Spoken(
        "呢啲嘢好貴，唔買住。",
        "呢啲嘢好贵,唔买住.",
        "ni1 di1 je5 hou2 gwai3 m4 maai5 zyu6",
    ),
    Spoken(
        "佢哋話聽日會落雨。",
        "佢哋话听日会落雨.",
        "keoi5 dei6 waa6 ting1 jat6 wui5 lok6 jyu5",
        kept="keoi5 dei6 waa6 ting1 jat6 wui6 lok6 jyu5",
    ),
    # Prices
    Spoken(
        "呢件衫$199，好抵。",
        "呢件衫一百九十九元,好抵.",
        "ni1 gin6 saam1 jat1 baak3 gau2 sap6 gau2 jyun4 hou2 dai2",
    ),
    Spoken(
        "一杯奶茶22蚊。",
        "一杯奶茶二十二蚊.",
        "jat1 bui1 naai5 caa4 ji6 sap6 ji6 man1",
    ),
    Spoken(
        "租金HK$12,000一個月。",
        "租金一万二千元一个月.",
        "zou1 gam1 jat1 maan6 ji6 cin1 jyun4 jat1 go3 jyut6",
    ),
    Spoken(
        "買兩件有8折。",
        "买两件有八折.",
        "maai5 loeng5 gin6 jau5 baat3 zit3",
    ),
    Spoken(
        "打完折仲要￥88.5。",
        "打完折仲要八十八点五元.",
        "daa2 jyun4 zit3 zung6 jiu3 baat3 sap6 baat3 dim2 ng5 jyun4",
    ),
    Spoken(
        "滿300減50。",
        "满三百减五十.",
        "mun5 saam1 baak3 gaam2 ng5 sap6",
    ),
    Spoken(
        "2蚊一個，3個5蚊。",
        "两蚊一个,三个五蚊.",
        "loeng5 man1 jat1 go3 saam1 go3 ng5 man1",
    ),
    # Telephones and codes
    Spoken(
        "我電話係91234567。",
        "我电话系九一二三四五六七.",
        "ngo5 din6 waa2 hai6 gau2 jat1 ji6 saam1 sei3 ng5 luk6 cat1",
    ),
    Spoken(
        "有事打999報警。",
        "有事打九九九报警.",
        "jau5 si6 daa2 gau2 gau2 gau2 bou3 ging2",
    ),
    Spoken(
        "房號係1108。",
        "房号系一一零八.",
        "fong4 hou6 hai6 jat1 jat1 ling4 baat3",
    ),
    Spoken(
        "驗證碼係038271。",
        "验证码系零三八二七一.",
        "jim6 zing3 maa5 hai6 ling4 saam1 baat3 ji6 cat1 jat1",
    ),
    Spoken(
        "請打852-2345-6789。",
        "请打八五二,二三四五,六七八九.",
        "cing2 daa2 baat3 ng5 ji6 ji6 saam1 sei3 ng5 luk6 cat1 baat3 gau2",
    ),
    # Addresses
    Spoken(
        "我住彌敦道128號5樓。",
        "我住弥敦道一百二十八号五楼.",
        "ngo5 zyu6 nei4 deon1 dou6 jat1 baak3 ji6 sap6 baat3 hou6 ng5 lau2",
    ),
    Spoken(
        "坐地鐵去銅鑼灣，喺三號出口等。",
        "坐地铁去铜锣湾,喺三号出口等.",
        "co5 dei6 tit3 heoi3 tung4 lo4 waan1 hai2 saam1 hou6 ceot1 hau2 dang2",
        kept="zo6 dei6 tit3 heoi3 tung4 lo4 waan1 hai2 saam1 hou6 ceot1 hau2 dang2",
    ),
    Spoken(
        "旺角同尖沙咀都好多人。",
        "旺角同尖沙咀都好多人.",
        "wong6 gok3 tung4 zim1 saa1 zeoi2 dou1 hou2 do1 jan4",
    ),
    Spoken(
        "2座3樓有人搬屋。",
        "二座三楼有人搬屋.",
        "ji6 zo6 saam1 lau2 jau5 jan4 bun1 uk1",
    ),
    # Dates and times
    Spoken(
        "今日係2024年5月12日。",
        "今日系二零二四年五月十二日.",
        "gam1 jat6 hai6 ji6 ling4 ji6 sei3 nin4 ng5 jyut6 sap6 ji6 jat6",
    ),
    Spoken(
        "會議改咗做下晝2:30。",
        "会议改咗做下昼两点半.",
        "wui6 ji5 goi2 zo2 zou6 haa6 zau3 loeng5 dim2 bun3",
    ),
    Spoken(
        "營業時間9:00-21:30。",
        "营业时间九点至二十一点三十分.",
        "jing4 jip6 si4 gaan3 gau2 dim2 zi3 ji6 sap6 jat1 dim2 saam1 sap6 fan1",
    ),
    Spoken(
        "我等咗你3個鐘。",
        "我等咗你三个钟.",
        "ngo5 dang2 zo2 nei5 saam1 go3 zung1",
    ),
    Spoken(
        "下星期三早上8:05開車。",
        "下星期三早上八点零五分开车.",
        "haa6 sing1 kei4 saam1 zou2 soeng6 baat3 dim2 ling4 ng5 fan1 hoi1 ce1",
    ),
    Spoken(
        "佢1998年出世。",
        "佢一九九八年出世.",
        "keoi5 jat1 gau2 gau2 baat3 nin4 ceot1 sai3",
    ),
    Spoken(
        "大概要3-5日先送到。",
        "大概要三到五日先送到.",
        "daai6 koi3 jiu3 saam1 dou3 ng5 jat6 sin1 sung3 dou3",
    ),
    Spoken(
        "90後都三十幾歲喇。",
        "九零后都三十几岁喇.",
        "gau2 ling4 hau6 dou1 saam1 sap6 gei2 seoi3 laa3",
        kept="gau2 ling4 hau6 dou1 saam1 sap6 gei1 seoi3 laa3",
    ),
    # Scores
    Spoken(
        "香港隊3:1贏波。",
        "香港队三比一赢波.",
        "hoeng1 gong2 deoi2 saam1 bei2 jat1 jeng4 bo1",
        kept="hoeng1 gong2 deoi6 saam1 bei2 jat1 jing4 bo1",
    ),
    Spoken(
        "上半場0-0，下半場2-1。",
        "上半场零比零,下半场二比一.",
        "soeng6 bun3 coeng4 ling4 bei2 ling4 haa6 bun3 coeng4 ji6 bei2 jat1",
    ),
    # Doses
    Spoken(
        "每日食3次，每次2粒。",
        "每日食三次,每次两粒.",
        "mui5 jat6 sik6 saam1 ci3 mui5 ci3 loeng5 nap1",
    ),
    Spoken(
        "飲10ml藥水，飯後食。",
        "饮十毫升药水,饭后食.",
        "jam2 sap6 hou4 sing1 joek6 seoi2 faan6 hau6 sik6",
    ),
    Spoken(
        "發燒到39.5℃，快啲睇醫生。",
        "发烧到三十九点五度,快啲睇医生.",
        "faat3 siu1 dou3 saam1 sap6 gau2 dim2 ng5 dou6 faai3 di1 tai2 ji1 sang1",
    ),
    Spoken(
        "血壓有啲高，要少食鹽。",
        "血压有啲高,要少食盐.",
        "hyut3 aat3 jau5 di1 gou1 jiu3 siu2 sik6 jim4",
    ),
    # Measures and numbers
    Spoken(
        "體重75kg，減咗5%。",
        "体重七十五千克,减咗百分之五.",
        "tai2 cung5 cat1 sap6 ng5 cin1 hak1 gaam2 zo2 baak3 fan6 zi1 ng5",
    ),
    Spoken(
        "行咗10km，攰到死。",
        "行咗十千米,攰到死.",
        "haang4 zo2 sap6 cin1 mai5 gui6 dou3 sei2",
    ),
    Spoken(
        "2/3嘅人都贊成。",
        "三分之二嘅人都赞成.",
        "saam1 fan6 zi1 ji6 ge3 jan4 dou1 zaan3 sing4",
    ),
    Spoken(
        "今日最低-2度。",
        "今日最低零下二度.",
        "gam1 jat6 zeoi3 dai1 ling4 haa6 ji6 dou6",
    ),
    Spoken(
        "1+1=2，咁簡單都唔識？",
        "一加一等于二,咁简单都唔识?",
        "jat1 gaa1 jat1 dang2 jyu1 ji6 gam3 gaan2 daan1 dou1 m4 sik1",
    ),
    Spoken(
        "升級到3.2.1版本。",
        "升级到三点二点一版本.",
        "sing1 kap1 dou3 saam1 dim2 ji6 dim2 jat1 baan2 bun2",
    ),
    # Names
    Spoken(
        "陳大文同李小龍係朋友。",
        "陈大文同李小龙系朋友.",
        "can4 daai6 man4 tung4 lei5 siu2 lung4 hai6 pang4 jau5",
    ),
    Spoken(
        "張學友喺紅磡開演唱會。",
        "张学友喺红磡开演唱会.",
        "zoeng1 hok6 jau5 hai2 hung4 ham3 hoi1 jin2 coeng3 wui2",
    ),
    Spoken(
        "曾先生係銀行經理。",
        "曾先生系银行经理.",
        "zang1 sin1 saang1 hai6 ngan4 hong4 ging1 lei5",
        kept="cang4 sin1 saang1 hai6 ngan4 hong4 ging1 lei5",
    ),
    Spoken(
        "行長話銀行唔會執。",
        "行长话银行唔会执.",
        "hong4 zoeng2 waa6 ngan4 hong4 m4 wui5 zap1",
        kept="haang4 coeng4 waa6 ngan4 hong4 m4 wui6 zap1",
    ),
    # Characters with several readings
    Spoken(
        "重慶嘅火鍋好辣。",
        "重庆嘅火锅好辣.",
        "cung4 hing3 ge3 fo2 wo1 hou2 laat6",
    ),
    Spoken(
        "佢好重要，又好重。",
        "佢好重要,又好重.",
        "keoi5 hou2 zung6 jiu3 jau6 hou2 cung5",
    ),
    Spoken(
        "細路仔長大咗，生得好高。",
        "细路仔长大咗,生得好高.",
        "sai3 lou6 zai2 zoeng2 daai6 zo2 saang1 dak1 hou2 gou1",
    ),
    Spoken(
        "我鍾意聽音樂，唔鍾意打麻雀。",
        "我锺意听音乐,唔锺意打麻雀.",
        "ngo5 zung1 ji3 teng1 jam1 ngok6 m4 zung1 ji3 daa2 maa4 zoek3",
        kept="ngo5 zung1 ji3 ting1 jam1 ngok6 m4 zung1 ji3 daa2 maa4 zoek2",
    ),
    Spoken(
        "買咗十三幺牌，食糊喇！",
        "买咗十三幺牌,食糊喇!",
        "maai5 zo2 sap6 saam1 jiu1 paai2 sik6 wu2 laa3",
        kept="maai5 zo2 sap6 saam1 jiu1 paai4 sik6 wu2 laa3",
    ),
    Spoken(
        "頭髮太長，要剪髮。",
        "头发太长,要剪发.",
        "tau4 faat3 taai3 coeng4 jiu3 zin2 faat3",
    ),
    # Songs and verse
    Spoken(
        "月光光，照地堂。",
        "月光光,照地堂.",
        "jyut6 gwong1 gwong1 ziu3 dei6 tong4",
    ),
    Spoken(
        "落雨大，水浸街。",
        "落雨大,水浸街.",
        "lok6 jyu5 daai6 seoi2 zam3 gaai1",
    ),
    Spoken(
        "氹氹轉，菊花園。",
        "氹氹转,菊花园.",
        "tam4 tam4 zyun3 guk1 faa1 jyun2",
    ),
    Spoken(
        "海上生明月，天涯共此時。",
        "海上生明月,天涯共此时.",
        "hoi2 soeng6 sang1 ming4 jyut6 tin1 ngaai4 gung6 ci2 si4",
        kept="hoi2 soeng6 saang1 ming4 jyut6 tin1 ngaai4 gung6 ci2 si4",
    ),
)
